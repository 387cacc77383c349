#include "memory/vocabulary.hpp"

#include "memory/bytes.hpp"

namespace raceway::server::memory {
namespace {

/// A hash of a text's length and its ends, which most texts in use at a time differ in.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (text.size() >= 8) {
    first = wire::load_bytes<std::uint64_t>(text.data());
    last = wire::load_bytes<std::uint64_t>(text.data() + text.size() - 8);
  } else if (text.size() >= 4) {
    first = wire::load_bytes<std::uint32_t>(text.data());
    last = wire::load_bytes<std::uint32_t>(text.data() + text.size() - 4);
  } else {
    for (const char c : text) first = first << 8U | static_cast<unsigned char>(c);
  }
  return (first ^ text.size()) * 0x9E3779B97F4A7C15U ^ last * 0xC2B2AE3D27D4EB4FU;
}

}  // namespace

std::optional<std::uint32_t> Vocabulary::number_of(std::string_view text) {
  const auto serial = dictionary_->serial();
  const auto is = [&](const Recent& recent) { return recent.dictionary == serial && same_bytes(recent.text, text); };
  auto& [newer, older] = recent_[hash_of(text) >> 56U];
  if (is(newer)) return newer.number;
  if (is(older)) return older.number;
  const auto number = dictionary_->number_of(text);
  if (number) {
    older = newer;
    newer = {serial, dictionary_->text(*number), *number};
  }
  return number;
}

}  // namespace raceway::server::memory
