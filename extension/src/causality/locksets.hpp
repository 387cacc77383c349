// Which locks a strand holds at each of its accesses, by the acquires and releases that it told of itself.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "causality/happened_before.hpp"

namespace raceway::causality {

/// A lock is one of a process: locks of two processes are two locks, whatever they are called.
struct HeldLock {
  std::uint32_t process = 0;
  std::uint32_t lock = 0;  ///< number of its name
  bool shared = false;     ///< held beside others, to read

  auto operator<=>(const HeldLock&) const = default;
};

/// Right even where the SDK tells of an acquire before the strand has the lock: while it blocks it tells nothing, so
/// every access between the two events is inside. What the client says of itself (EventFacts::locks) adds to it.
class LockSets {
 public:
  explicit LockSets(const HappenedBefore& happened);

  /// The number of the set at an access to a variable; 0 is the empty one.
  std::uint32_t of(std::uint32_t event) const { return set_of_[event]; }
  std::span<const HeldLock> locks(std::uint32_t set) const { return sets_[set]; }
  /// Whether the two have a lock in common that one of them holds alone.
  bool protect(std::uint32_t a, std::uint32_t b) const;

 private:
  std::uint32_t number(std::vector<HeldLock> locks);

  std::vector<std::uint32_t> set_of_;
  std::vector<std::vector<HeldLock>> sets_ = {{}};
  std::map<std::vector<HeldLock>, std::uint32_t> numbers_ = {{{}, 0}};
};

}  // namespace raceway::causality
