#include "moving/shiviz_text.hpp"

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

}  // namespace

std::string escaped_word(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_control(c) || c == ' ' || c == '%') {
      append_escaped(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

std::string escaped_host(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_control(c) || c == '%' || c == '{') {
      append_escaped(out, c);
    } else {
      out += c;
    }
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
