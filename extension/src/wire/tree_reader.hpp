// Reads values of a body as trees, within what the body's text allows to be taken.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "wire/arena.hpp"
#include "wire/json.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_scanner.hpp"

namespace raceway::wire {

/// Why a value has no tree that would take too much memory.
inline constexpr const char* too_many_values =
    "it holds too many small values: they would take several times the memory of their text";

/// Not thread-safe.
class TreeReader {
 public:
  /// A value that is longer than `window` bytes is stepped over first, to know what it takes. `body` outlives it.
  TreeReader(std::string_view body, std::size_t window, Arena& arena)
      : window_(window), arena_(arena), reader_(body, arena.allowance()), scan_(body, arena) {}

  Arena& arena() { return arena_; }
  JsonReader& reader() { return reader_; }
  JsonScanner& scan() { return scan_; }

  /// Up to there the body's text allows memory to be taken.
  void pay_for(std::size_t end);

  /// Reads the value that begins at `place` and steps over it, with the reader; answers why it cannot be kept, or
  /// nothing. Throws BodyError.
  std::string read(std::size_t place, Json& tree);

 private:
  std::string read_large(std::size_t place, Json& tree);

  const std::size_t window_;
  Arena& arena_;
  JsonReader reader_;
  JsonScanner scan_;
  std::size_t paid_for_ = 0;
};

}  // namespace raceway::wire
