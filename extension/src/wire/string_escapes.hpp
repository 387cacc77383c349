// The escapes of JSON strings.
#pragma once

#include <string>
#include <string_view>

namespace raceway::wire {

enum class Unescaped { ok, bad_escape, nul, lone_surrogate };

/// Appends `raw` (what stands between the quotes) with its escapes resolved to `out`.
/// bad_escape: not JSON at all. nul and lone_surrogate: JSON, but no text that a database keeps.
Unescaped append_unescaped(std::string& out, std::string_view raw);

}  // namespace raceway::wire
