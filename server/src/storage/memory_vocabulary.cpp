#include "storage/memory_vocabulary.hpp"

#include <cstring>

#include "storage/memory_bytes.hpp"

namespace raceway::server::storage::memory {
namespace {

/// A place below 512 by a text's length and its ends, which most texts in use at a time differ in.
std::size_t place_of(std::string_view text) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (text.size() >= 8) {
    std::memcpy(&first, text.data(), 8);
    std::memcpy(&last, text.data() + text.size() - 8, 8);
  } else {
    for (const char c : text) first = first << 8U | static_cast<unsigned char>(c);
  }
  return ((first ^ text.size()) * 0x9E3779B97F4A7C15U ^ last * 0xC2B2AE3D27D4EB4FU) >> 55U;
}

}  // namespace

std::optional<std::uint32_t> Vocabulary::number_of(std::string_view text) {
  Recent& recent = recent_[place_of(text)];
  if (recent.dictionary == dictionary_->serial() && same_bytes(recent.text, text)) return recent.number;
  const auto number = dictionary_->number_of(text);
  if (number) recent = {dictionary_->serial(), dictionary_->text(*number), *number};
  return number;
}

}  // namespace raceway::server::storage::memory
