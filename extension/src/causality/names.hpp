// Texts that occur again and again, kept once and known by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace raceway::causality {

/// Not thread-safe.
class Names {
 public:
  /// The number of a text; that of the empty one is 0.
  std::uint32_t number(std::string_view text) {
    if (text.empty()) return 0;
    if (const auto known = numbers_.find(text); known != numbers_.end()) return known->second;
    const auto& kept = texts_.emplace_back(text);
    bytes_ += kept.size() + sizeof(std::string) + bytes_of_a_node;
    return numbers_.emplace(kept, static_cast<std::uint32_t>(texts_.size())).first->second;
  }
  /// The number of a text that is kept, else 0.
  std::uint32_t find(std::string_view text) const {
    const auto known = numbers_.find(text);
    return known == numbers_.end() ? 0 : known->second;
  }
  std::string_view operator[](std::uint32_t number) const {
    return number == 0 ? std::string_view() : std::string_view(texts_[number - 1]);
  }
  std::size_t size() const { return texts_.size() + 1; }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t bytes_of_a_node = 64;

  std::deque<std::string> texts_;
  // A tree and no hash table: texts come from outside, and no choice of texts may make this slow.
  std::map<std::string_view, std::uint32_t> numbers_;
  std::size_t bytes_ = 0;
};

}  // namespace raceway::causality
