// A key of an object as it stands in JSON text, made to be recognized fast.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace raceway::wire {

/// A key with its quotes. Compares eight bytes at a time; owns what it compares with.
class QuotedKey {
 public:
  static constexpr std::size_t max_size = 64;

  /// Nothing where the key is too long, or would stand in JSON in more than one way (a quote or a backslash in it).
  static std::optional<QuotedKey> of(std::string_view key) {
    if (key.size() + 2 > max_size || key.find_first_of("\"\\") != std::string_view::npos) return std::nullopt;
    QuotedKey quoted;
    quoted.size_ = static_cast<std::uint32_t>(key.size() + 2);
    quoted.bytes_[0] = '"';
    std::memcpy(quoted.bytes_.data() + 1, key.data(), key.size());
    quoted.bytes_[key.size() + 1] = '"';
    const std::size_t in_last_word = (quoted.size_ - 1) % word + 1;
    quoted.last_mask_ = {};
    std::memset(quoted.last_mask_.data(), 0xFF, in_last_word);
    return quoted;
  }

  /// With the quotes.
  std::size_t size() const { return size_; }
  bool same_as(const QuotedKey& other) const { return size_ == other.size_ && bytes_ == other.bytes_; }

  /// Whether the key stands at `place`, behind which `room` bytes may be read.
  bool is_at(const char* place, std::size_t room) const {
    if (room < size_ + word) return room >= size_ && std::memcmp(place, bytes_.data(), size_) == 0;
    const char* mine = bytes_.data();
    std::size_t left = size_;
    for (; left > word; left -= word, place += word, mine += word) {
      if (load(place) != load(mine)) return false;
    }
    return ((load(place) ^ load(mine)) & load(last_mask_.data())) == 0;
  }

 private:
  static constexpr std::size_t word = sizeof(std::uint64_t);

  static std::uint64_t load(const char* bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes, word);
    return value;
  }

  std::uint32_t size_ = 0;
  std::array<char, word> last_mask_{};  // selects those bytes of the last word that belong to the key
  std::array<char, max_size> bytes_{};
};

}  // namespace raceway::wire
