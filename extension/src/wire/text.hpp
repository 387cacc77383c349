// Small helpers on UTF-8 text.
#pragma once

#include <cstddef>
#include <string_view>

namespace raceway::wire {

/// The number of characters (code points) in valid UTF-8.
inline std::size_t character_count(std::string_view utf8) {
  std::size_t count = 0;
  for (const char byte : utf8) count += (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  return count;
}

/// The first `limit` characters of valid UTF-8, or all of it.
inline std::string_view first_characters(std::string_view utf8, std::size_t limit) {
  if (utf8.size() <= limit) return utf8;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < utf8.size(); ++at) {
    const bool starts_character = (static_cast<unsigned char>(utf8[at]) & 0xC0U) != 0x80U;
    if (starts_character && characters++ == limit) return utf8.substr(0, at);
  }
  return utf8;
}

/// Whether valid UTF-8 has at most `limit` characters.
inline bool fits(std::string_view utf8, std::size_t limit) {
  return utf8.size() <= limit || character_count(utf8) <= limit;
}

}  // namespace raceway::wire
