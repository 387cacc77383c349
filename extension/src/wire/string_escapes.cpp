#include "wire/string_escapes.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace raceway::wire {
namespace {

std::optional<std::uint32_t> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

/// Reads four hex digits at `at`.
std::optional<std::uint32_t> read_hex4(std::string_view raw, std::size_t at) {
  if (at + 4 > raw.size()) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto digit = hex_digit(raw[at + i]);
    if (!digit) return std::nullopt;
    value = value << 4U | *digit;
  }
  return value;
}

/// Writes what an escape stands for.
class Writer {
 public:
  explicit Writer(char* out) : out_(out) {}
  char* end() const { return out_; }

  void put(std::string_view plain) { out_ = std::copy(plain.begin(), plain.end(), out_); }
  void put(char c) { *out_++ = c; }
  void put_utf8(std::uint32_t code) {
    const auto put = [this](std::uint32_t byte) { *out_++ = static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80U) {
      put(code);
    } else if (code < 0x800U) {
      put(0xC0U | code >> 6U);
      put(0x80U | (code & 0x3FU));
    } else if (code < 0x10000U) {
      put(0xE0U | code >> 12U);
      put(0x80U | (code >> 6U & 0x3FU));
      put(0x80U | (code & 0x3FU));
    } else {
      put(0xF0U | code >> 18U);
      put(0x80U | (code >> 12U & 0x3FU));
      put(0x80U | (code >> 6U & 0x3FU));
      put(0x80U | (code & 0x3FU));
    }
  }

 private:
  char* out_;
};

/// Writes nothing.
class Nothing {
 public:
  void put(std::string_view) {}
  void put(char) {}
  void put_utf8(std::uint32_t) {}
};

char short_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

/// Resolves a \u escape (and the low half of a pair); `at` is just behind the 'u' and moves behind what was read.
template <class Out>
Unescaped resolve_unicode(Out& out, std::string_view raw, std::size_t& at) {
  const auto first = read_hex4(raw, at);
  if (!first) return Unescaped::bad_escape;
  at += 4;
  if (*first == 0) return Unescaped::nul;
  if (*first < 0xD800U || *first > 0xDFFFU) {
    out.put_utf8(*first);
    return Unescaped::ok;
  }
  const bool is_high = *first < 0xDC00U;
  const bool escape_follows = raw.substr(at, 2) == "\\u";
  const auto second = escape_follows ? read_hex4(raw, at + 2) : std::nullopt;
  if (!is_high || !second || *second < 0xDC00U || *second > 0xDFFFU) return Unescaped::lone_surrogate;
  at += 6;
  out.put_utf8(0x10000U + ((*first - 0xD800U) << 10U) + (*second - 0xDC00U));
  return Unescaped::ok;
}

template <class Out>
Unescaped resolve(std::string_view raw, Out& out, Allowance& allowance) {
  // A lone surrogate does not end the walk: a bad escape behind it makes the whole text no JSON.
  Unescaped worst = Unescaped::ok;
  std::size_t at = 0;
  while (at < raw.size()) {
    allowance.step();
    const auto backslash = raw.find('\\', at);
    out.put(raw.substr(at, backslash == std::string_view::npos ? backslash : backslash - at));
    if (backslash == std::string_view::npos) break;
    if (backslash + 1 >= raw.size()) return Unescaped::bad_escape;
    const char escape = raw[backslash + 1];
    at = backslash + 2;
    if (escape != 'u') {
      const char resolved = short_escape(escape);
      if (resolved == 0) return Unescaped::bad_escape;
      out.put(resolved);
      continue;
    }
    const auto outcome = resolve_unicode(out, raw, at);
    if (outcome == Unescaped::bad_escape) return outcome;
    if (worst == Unescaped::ok) worst = outcome;
  }
  return worst;
}

}  // namespace

Unescaped unescape(std::string_view raw, char*& out, Allowance& allowance) {
  Writer writer(out);
  const Unescaped outcome = resolve(raw, writer, allowance);
  out = writer.end();
  return outcome;
}

Unescaped check_escapes(std::string_view raw, Allowance& allowance) {
  Nothing nothing;
  return resolve(raw, nothing, allowance);
}

}  // namespace raceway::wire
