// A jsonb as text, as far as a limit allows.
#pragma once

#include <cstddef>
#include <string_view>

#include "postgres/boundary.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace raceway::postgres {

/// What jsonb_out writes, in palloc'd memory; no text (data() is null) as soon as it has more than `most` bytes. May
/// raise; ends when it is interrupted.
std::string_view text_of_jsonb(Jsonb* jsonb, std::size_t most);

}  // namespace raceway::postgres
