// Why two events are ordered, or what they have in common where they are not.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "causality/happened_before.hpp"

namespace raceway::causality {

struct ChainLink {
  std::uint32_t event = 0;
  Reason reason = Reason::parent;  ///< of the edge to it; of the first event it means nothing
};

/// A shortest chain of kept edges from `a` to `b`, both included; empty where a did not happen before b. Of equally
/// short ones the same every time.
std::vector<ChainLink> shortest_chain(const HappenedBefore& happened, std::uint32_t a, std::uint32_t b);

/// What an unordered pair has in common and knows.
struct Witness {
  std::uint32_t last_common = none;  ///< the last event, in the linear order, that happened before both
  std::vector<Heard> clock1;         ///< effective ones, their own lines included
  std::vector<Heard> clock2;
};

struct EventPair {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
};

/// One for each pair, by one walk.
std::vector<Witness> find_witnesses(const HappenedBefore& happened, std::span<const EventPair> pairs);

}  // namespace raceway::causality
