#include "terminal/for_terminal.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace raceway::server::terminal {
namespace {

using Range = std::pair<char32_t, char32_t>;

/// Sorted. Beside the control characters: soft hyphen, joiners and marks without width, marks and embeddings of
/// direction, separators of lines, fillers, variation selectors of Mongolian, annotations, tags.
constexpr auto acting = std::to_array<Range>({
    {0x00, 0x1f},
    {0x7f, 0x9f},
    {0xad, 0xad},
    {0x34f, 0x34f},
    {0x61c, 0x61c},
    {0x115f, 0x1160},
    {0x17b4, 0x17b5},
    {0x180b, 0x180f},
    {0x200b, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x206f},
    {0x3164, 0x3164},
    {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},
    {0xfff0, 0xfffb},
    {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
});

/// How many bytes are one well-formed UTF-8 character; 0 where none is.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool not_a_character = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  return overlong || not_a_character ? 0 : length;
}

std::string in_hex(const char* form, char32_t code) {
  std::array<char, 16> text{};
  const int size = std::snprintf(text.data(), text.size(), form, static_cast<unsigned>(code));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string visible(const Character& character, char byte) {
  if (!character.is_valid) return in_hex("\\x%02x", static_cast<unsigned char>(byte));
  if (character.code < 0x80) return in_hex("\\x%02x", character.code);
  return in_hex(character.code < 0x10000 ? "\\u%04x" : "\\U%08x", character.code);
}

template <class Stays, class Show>
std::string shown(std::string_view text, Stays stays, Show show) {
  std::string out;
  while (!text.empty()) {
    const auto character = first_character(text);
    if (!character.acts() || stays(text[0])) {
      out += text.substr(0, character.size);
    } else {
      out += show(character, text[0]);
    }
    text.remove_prefix(character.size);
  }
  return out;
}

bool is_layout(char c) {
  return c == '\n' || c == '\t';
}

}  // namespace

bool Character::acts() const {
  if (!is_valid) return true;
  const auto range = std::ranges::lower_bound(acting, code, {}, &Range::second);
  return range != acting.end() && code >= range->first;
}

Character first_character(std::string_view text) {
  const auto size = utf8_length(text);
  if (size == 0) return {};
  constexpr std::array<unsigned, 5> kept_bits = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = static_cast<unsigned char>(text[0]) & kept_bits[size];
  for (std::size_t at = 1; at < size; ++at) code = code << 6U | (static_cast<unsigned char>(text[at]) & 0x3FU);
  return {size, code, true};
}

std::string json_escape(const Character& character) {
  if (!character.is_valid) return "\\ufffd";
  if (character.code < 0x10000) return in_hex("\\u%04x", character.code);
  const char32_t beyond = character.code - 0x10000;
  return in_hex("\\u%04x", 0xD800 + (beyond >> 10U)) + in_hex("\\u%04x", 0xDC00 + (beyond & 0x3FFU));
}

std::string for_terminal(std::string_view text) {
  return shown(text, is_layout, visible);
}

std::string line_for_terminal(std::string_view text) {
  return shown(
      text, [](char) { return false; }, visible);
}

std::string json_for_terminal(std::string_view json) {
  return shown(json, is_layout, [](const Character& character, char) { return json_escape(character); });
}

}  // namespace raceway::server::terminal
