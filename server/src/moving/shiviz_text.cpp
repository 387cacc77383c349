#include "moving/shiviz_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace raceway::server::moving {
namespace {

void append_escaped(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += {'%', digits[byte >> 4U], digits[byte & 15U]};
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
}

/// How many bytes at the start of `text` are a blank or an end of line beyond ASCII.
std::size_t wide_blank(std::string_view text) {
  static constexpr auto blanks = std::to_array<std::string_view>(
      {"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
       "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"});
  if (static_cast<unsigned char>(text.front()) < 0x80) return 0;
  const auto found = std::ranges::find_if(blanks, [&](auto blank) { return text.starts_with(blank); });
  return found == blanks.end() ? 0 : found->size();
}

bool is_wide_end(std::string_view text) {
  return text.starts_with("\u2028") || text.starts_with("\u2029") || text.starts_with("\u0085");
}

template <class Passes>
std::string escaped(std::string_view text, Passes passes) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto wide = wide_blank(text.substr(at));
    const auto size = std::max<std::size_t>(wide, 1);
    const auto piece = text.substr(at, size);
    const bool stays = !is_control(piece[0]) && piece[0] != '%' && passes(piece, wide > 0);
    for (const char c : piece) {
      if (stays) {
        out += c;
      } else {
        append_escaped(out, c);
      }
    }
    at += size;
  }
  return out;
}

/// Properties of every JavaScript object: an object that stands for a map seems to have them.
std::string without_property(std::string name) {
  static constexpr auto properties = std::to_array<std::string_view>(
      {"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString",
       "valueOf", "__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"});
  if (std::ranges::find(properties, name) == properties.end()) return name;
  std::string out;
  append_escaped(out, name.front());
  return out + name.substr(1);
}

}  // namespace

std::string escaped_word(std::string_view text) {
  return escaped(text, [](std::string_view piece, bool is_wide) { return !is_wide && piece != " "; });
}

std::string escaped_label(std::string_view text) {
  return without_property(escaped_word(text));
}

std::string escaped_host(std::string_view text) {
  return without_property(
      escaped(text, [](std::string_view piece, bool /*is_wide*/) { return piece != "{" && !is_wide_end(piece); }));
}

std::string flattened(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto size = std::max<std::size_t>(wide_blank(text.substr(at)), 1);
    const auto piece = text.substr(at, size);
    const bool goes = is_wide_end(piece) || (is_control(piece[0]) && piece[0] != '\t');
    out += goes ? " " : piece;
    at += size;
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const char* const digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      out += static_cast<char>(value);
      at += 2;
    } else {
      out += text[at];
    }
  }
  return out;
}

}  // namespace raceway::server::moving
