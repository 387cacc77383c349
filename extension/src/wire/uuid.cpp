#include "wire/uuid.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "wire/bytes.hpp"

namespace raceway::wire {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr std::size_t hyphenated_uuid_length = 36;
bool is_hyphen_place(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

bool is_hyphenated_uuid(std::string_view text) {
  if (text.size() != hyphenated_uuid_length) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_hyphen_place(at) ? text[at] != '-' : !is_hex(text[at])) return false;
  }
  return true;
}

// 16 digits at once.
using Pairs8 [[gnu::vector_size(16)]] = std::uint16_t;
using Words4 [[gnu::vector_size(16)]] = std::uint32_t;

/// The digits of a hyphenated UUID, 16 and 16 of them.
struct Digits {
  Bytes16 first;
  Bytes16 second;
};

Digits digits_of(const char* text) {
  const auto four = [text](std::size_t at) { return load_bytes<std::uint32_t>(text + at); };
  const Words4 first = {four(0), four(4), four(9), four(14)};
  const Words4 second = {four(19), four(24), four(28), four(32)};
  return {std::bit_cast<Bytes16>(first), std::bit_cast<Bytes16>(second)};
}

Bytes16 letters_in(Bytes16 digits) {
  return std::bit_cast<Bytes16>((digits >= 'a') & (digits <= 'f'));
}

bool all_valid(Bytes16 digits) {
  const auto valid = std::bit_cast<Bytes16>((digits >= '0') & (digits <= '9')) | letters_in(digits);
  const auto halves = std::bit_cast<Words2>(valid);
  return (halves[0] & halves[1]) == ~std::uint64_t{0};
}

/// Eight bytes, each in the lower half of a pair.
Pairs8 values_of(Bytes16 digits) {
  const auto pairs = std::bit_cast<Pairs8>((digits & 0x0F) + (letters_in(digits) & 9));
  const bool first_is_lower = std::endian::native == std::endian::little;
  return (first_is_lower ? pairs << 4U | pairs >> 8U : pairs >> 4U | pairs) & 0x00FF;
}

bool has_hyphens(const char* text) {
  return text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

/// The 32 hex digits or 36 characters that stand inside braces or behind "urn:uuid:".
std::string_view bare_uuid(std::string_view text) {
  constexpr std::string_view urn = "urn:uuid:";
  const auto same = [](char a, char b) { return lower(a) == b; };
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') return text.substr(1, text.size() - 2);
  const auto prefix = text.substr(0, urn.size());
  if (std::equal(prefix.begin(), prefix.end(), urn.begin(), urn.end(), same)) return text.substr(urn.size());
  return text;
}

}  // namespace

bool is_canonical_uuid(std::string_view text) {
  if (text.size() != hyphenated_uuid_length || !has_hyphens(text.data())) return false;
  const auto [first, second] = digits_of(text.data());
  return all_valid(first) && all_valid(second);
}

std::optional<std::array<char, 16>> read_canonical_uuid(std::string_view text) {
  if (text.size() != hyphenated_uuid_length || !has_hyphens(text.data())) return std::nullopt;
  const auto [first, second] = digits_of(text.data());
  if (!all_valid(first) || !all_valid(second)) return std::nullopt;
  using Bytes8 [[gnu::vector_size(8)]] = unsigned char;
  const std::array<Bytes8, 2> bytes = {__builtin_convertvector(values_of(first), Bytes8),
                                       __builtin_convertvector(values_of(second), Bytes8)};
  return std::bit_cast<std::array<char, 16>>(bytes);
}

std::optional<std::string> canonical_uuid(std::string_view text) {
  const auto bare = bare_uuid(text);
  const bool plain = bare.size() == 32 && std::all_of(bare.begin(), bare.end(), is_hex);
  if (!plain && !is_hyphenated_uuid(bare)) return std::nullopt;
  std::string canonical;
  for (const char c : bare) {
    if (is_hyphen_place(canonical.size()) && c != '-') canonical += '-';
    canonical += lower(c);
  }
  return canonical;
}

}  // namespace raceway::wire
