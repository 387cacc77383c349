// Which accesses are part of a race, where the pairs are too many to be looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "causality/happened_before.hpp"
#include "causality/locksets.hpp"
#include "causality/races.hpp"

namespace raceway::causality {

/// What races, as is_race() has it.
struct RacingEvents {
  std::vector<bool> is_racing;  ///< by event: with any other
  struct Pair {
    std::uint32_t earlier = 0;
    std::uint32_t later = 0;
    RaceClass race_class = RaceClass::write_write;
  };
  std::vector<Pair> first;  ///< by the later event in the linear order, then the earlier one; as many as asked for
  std::uint64_t pairs = 0;  ///< all of them
  /// False where very many lines share a variable and it would take too many steps: then what comes late is not in.
  bool complete = true;
};

/// One walk. Each access is held against the lines of those before it, not against each of them.
RacingEvents racing_events(const HappenedBefore& happened, const LockSets& locks, std::size_t most_pairs);

}  // namespace raceway::causality
