#include "memory/id.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "wire/uuid.hpp"

namespace raceway::server::memory {
namespace {

static_assert(std::endian::native == std::endian::little, "the first of eight digits is in the lowest byte");

constexpr std::size_t uuid_length = 36;

constexpr std::uint64_t each_byte(std::uint64_t value) {
  return value * 0x0101010101010101U;
}

std::uint64_t load_digits(const char* first_four, const char* last_four) {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  std::memcpy(&low, first_four, sizeof low);
  std::memcpy(&high, last_four, sizeof high);
  return std::uint64_t{high} << 32U | low;
}

/// Eight hexadecimal digits at once, each in a byte of `digits`; answers whether all are digits in lower case.
bool read_eight(std::uint64_t digits, char* out) {
  const std::uint64_t letters = digits >> 6U & each_byte(1);  // 'a' to 'f' have bit 6, '0' to '9' have not
  const std::uint64_t values = (digits & each_byte(0x0F)) + letters * 9;
  const std::uint64_t written = values + each_byte('0') + letters * ('a' - 10 - '0');
  // What is written the same may still be ':', '`' or 'o', and the like: letters must be 10 to 15, the others not.
  const std::uint64_t ten_and_up = (values + each_byte(16 - 10)) >> 4U & each_byte(0x0F);
  if (written != digits || ten_and_up != letters || (values & each_byte(0xF0)) != 0) return false;
  std::uint64_t pairs = (values << 4U | values >> 8U) & 0x00FF00FF00FF00FFU;
  pairs = (pairs | pairs >> 8U) & 0x0000FFFF0000FFFFU;
  const auto bytes = static_cast<std::uint32_t>(pairs | pairs >> 16U);
  std::memcpy(out, &bytes, sizeof bytes);
  return true;
}

void write_hex(char* out, unsigned char byte) {
  constexpr const char* digits = "0123456789abcdef";
  out[0] = digits[byte >> 4U];
  out[1] = digits[byte & 0xFU];
}

}  // namespace

void append_uuid(std::string& out, const char* bytes) {
  std::array<char, uuid_length> text{};
  std::size_t length = 0;
  for (std::size_t at = 0; at < sizeof(IdBytes); ++at) {
    if (at == 4 || at == 6 || at == 8 || at == 10) text[length++] = '-';
    write_hex(&text[length], static_cast<unsigned char>(bytes[at]));
    length += 2;
  }
  out.append(text.data(), length);
}

bool read_hex(std::string_view text, char* out) {
  if (text.size() % 2 != 0) return false;
  for (; text.size() >= 8; text.remove_prefix(8), out += 4) {
    if (!read_eight(load_digits(text.data(), text.data() + 4), out)) return false;
  }
  if (text.empty()) return true;
  std::array<char, 8> padded{'0', '0', '0', '0', '0', '0', '0', '0'};
  std::copy(text.begin(), text.end(), padded.begin());
  std::array<char, 4> bytes{};
  if (!read_eight(load_digits(padded.data(), padded.data() + 4), bytes.data())) return false;
  std::copy_n(bytes.begin(), text.size() / 2, out);
  return true;
}

void append_hex(std::string& out, std::string_view bytes) {
  const std::size_t before = out.size();
  out.resize(before + bytes.size() * 2);
  char* place = out.data() + before;
  for (const char byte : bytes) {
    write_hex(place, static_cast<unsigned char>(byte));
    place += 2;
  }
}

Id IdMaker::make(std::string_view text) const {
  Id id;
  id.text = text;
  if (const auto bytes = wire::read_canonical_uuid(text)) {
    id.bytes = *bytes;
    id.is_uuid = true;
  } else {
    const std::array<std::uint64_t, 2> words = {storage::sip_hash(text_key_, text),
                                                storage::sip_hash(table_key_, text)};
    std::memcpy(id.bytes.data(), words.data(), sizeof(IdBytes));
  }
  id.hash = hash_of(view(id.bytes));
  return id;
}

}  // namespace raceway::server::memory
