// Texts of PostgreSQL as views of C++, and back.
#pragma once

#include <string_view>

#include "postgres/boundary.hpp"

extern "C" {
#include "utils/builtins.h"
}

namespace raceway::postgres {

/// A text in the current memory context. Raises.
inline Datum text_datum(std::string_view text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

/// An argument that is not NULL; lives as long as the call. Raises.
inline std::string_view text_argument(FunctionCallInfo fcinfo, int n) {
  const text* const argument = PG_GETARG_TEXT_PP(n);
  return {VARDATA_ANY(argument), VARSIZE_ANY_EXHDR(argument)};
}

}  // namespace raceway::postgres
