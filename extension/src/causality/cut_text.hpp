// Text that is cut where it would be too long.
#pragma once

#include <cstddef>
#include <string_view>

namespace raceway::causality {

/// The first bytes of UTF-8, `limit` of them or fewer, so that no character is cut; all of it where it is no longer.
inline std::string_view first_bytes(std::string_view utf8, std::size_t limit) {
  if (utf8.size() <= limit) return utf8;
  while (limit > 0 && (static_cast<unsigned char>(utf8[limit]) & 0xC0U) == 0x80U) --limit;
  return utf8.substr(0, limit);
}

}  // namespace raceway::causality
