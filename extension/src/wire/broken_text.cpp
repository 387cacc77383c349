#include "wire/broken_text.hpp"

namespace raceway::wire {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

/// How many bytes the character at `at` has (RFC 3629); 0 where it is none.
std::size_t character_size(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  if (first < 0x80U) return 1;
  if (first < 0xC2U || first > 0xF4U) return 0;
  const std::size_t size = first < 0xE0U ? 2 : first < 0xF0U ? 3 : 4;
  // Neither longer than need be, nor half of a surrogate pair, nor beyond U+10FFFF.
  const unsigned least = first == 0xE0U ? 0xA0U : first == 0xF0U ? 0x90U : 0x80U;
  const unsigned most = first == 0xEDU ? 0x9FU : first == 0xF4U ? 0x8FU : 0xBFU;
  const unsigned second = byte_at(text, at + 1);
  if (second < least || second > most) return 0;
  for (std::size_t next = at + 2; next < at + size; ++next) {
    if ((byte_at(text, next) & 0xC0U) != 0x80U) return 0;
  }
  return size;
}

/// Calls `visit` with the place of each byte in a string, and ends where it answers false. Answers where the string
/// begins that is open then, or the text's size.
template <class Visit>
std::size_t walk_strings(std::string_view text, Visit visit) {
  std::size_t string = text.size();
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool in_string = string < text.size();
    if (in_string && !visit(at)) break;
    if (text[at] == '"') string = in_string ? text.size() : at;
    // What a backslash escapes is looked at, but ends no string.
    if (text[at] == '\\' && ++at < text.size() && in_string && !visit(at)) break;
  }
  return string;
}

}  // namespace

std::size_t invalid_utf8_at(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto size = character_size(text, at);
    if (size == 0) return at;
    at += size;
  }
  return text.size();
}

std::size_t bare_control_at(std::string_view text) {
  std::size_t found = text.size();
  walk_strings(text, [&](std::size_t at) {
    if (byte_at(text, at) < 0x20U) found = at;
    return found == text.size();
  });
  return found;
}

std::size_t open_string_at(std::string_view text) {
  return walk_strings(text, [](std::size_t) { return true; });
}

}  // namespace raceway::wire
