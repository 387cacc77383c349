// The escapes of JSON strings.
#pragma once

#include <string_view>

#include "wire/allowance.hpp"

namespace raceway::wire {

enum class Unescaped { ok, bad_escape, nul, lone_surrogate };

/// Writes `raw` (what stands between the quotes) with its escapes resolved to `out`, which has room for as many bytes
/// as `raw` has; `out` is moved behind what was written. bad_escape: not JSON at all. nul and lone_surrogate: JSON, but
/// no text that a database keeps.
Unescaped unescape(std::string_view raw, char*& out, Allowance& allowance);

/// What unescape() would answer.
Unescaped check_escapes(std::string_view raw, Allowance& allowance);

}  // namespace raceway::wire
