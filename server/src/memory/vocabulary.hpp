// A thread's way to a dictionary: remembers the texts it asked for last.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "memory/dictionary.hpp"

namespace raceway::server::memory {

/// Not thread-safe.
class Vocabulary {
 public:
  /// From now on, this one; it must live as long as it is used.
  void use(Dictionary& dictionary) { dictionary_ = &dictionary; }
  Dictionary& dictionary() const { return *dictionary_; }

  /// As Dictionary::number_of.
  std::optional<std::uint32_t> number_of(std::string_view text);

 private:
  struct Recent {
    std::uint64_t dictionary = 0;  // its serial: of another one, the text may be gone
    std::string_view text;         // in the dictionary
    std::uint32_t number = 0;
  };

  struct Recents {
    Recent newer;
    Recent older;
  };

  Dictionary* dictionary_ = nullptr;
  std::array<Recents, 256> recent_;
};

}  // namespace raceway::server::memory
