// What an event says, beside what its record says.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "memory/dictionary.hpp"
#include "memory/id.hpp"
#include "wire/event.hpp"

namespace raceway::server::memory {

/// Compares the events of one body with records. What that costs is bounded by the size of the body.
class Comparison {
 public:
  /// Why an event is no duplicate of the record of its id and trace in a chunk; empty where it is one.
  std::string other_contents(const wire::Event& event, const Id& id, std::string_view chunk,
                             const Dictionary& dictionary);

 private:
  // Bytes of records that are too large to say the same, and are read only to name the columns that differ: so that
  // many small sendings of a large event cost no more than large ones.
  std::size_t left_for_names_ = std::size_t{8} << 20U;
};

}  // namespace raceway::server::memory
