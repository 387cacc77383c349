#include "causality/locksets.hpp"

#include <algorithm>
#include <map>

namespace raceway::causality {
namespace {

/// Processes by number.
class Processes {
 public:
  std::uint32_t number(const ProcessName& process) {
    return numbers_.try_emplace(process, static_cast<std::uint32_t>(numbers_.size())).first->second;
  }

 private:
  std::map<ProcessName, std::uint32_t> numbers_;
};

}  // namespace

LockSets::LockSets(const HappenedBefore& happened) : set_of_(happened.events().size()) {
  const EventTable& events = happened.events();
  Processes processes;
  for (std::uint32_t line = 0; line < happened.lines(); ++line) {
    std::map<HeldLock, int> held;  // how often
    std::uint32_t set = 0;
    for (const std::uint32_t event : happened.line(line)) {
      const auto& fact = events[event];
      const bool acquires = fact.kind == Kind::lock_acquire;
      if ((acquires || fact.kind == Kind::lock_release) && happened.strands().of(event) != none) {
        const HeldLock lock = {processes.number(ProcessName::of(events.origin(event))), fact.subject, fact.shared_lock};
        if (acquires) {
          ++held[lock];
        } else if (const auto at = held.find(lock); at != held.end() && --at->second == 0) {
          held.erase(at);
        }
        std::vector<HeldLock> locks;
        for (const auto& [each, times] : held) locks.push_back(each);
        set = number(std::move(locks));
      }
      if (fact.access == Access::no_access) continue;
      set_of_[event] = set;
      if (fact.locks == 0) continue;
      std::vector<HeldLock> locks(sets_[set]);
      for (const std::uint32_t name : events.locks(fact.locks))
        locks.push_back({processes.number(ProcessName::of(events.origin(event))), name, false});
      set_of_[event] = number(std::move(locks));
    }
  }
}

std::uint32_t LockSets::number(std::vector<HeldLock> locks) {
  std::ranges::sort(locks);
  locks.erase(std::unique(locks.begin(), locks.end()), locks.end());
  const auto [at, is_new] = numbers_.try_emplace(std::move(locks), static_cast<std::uint32_t>(sets_.size()));
  if (is_new) sets_.push_back(at->first);
  return at->second;
}

bool LockSets::protect(std::uint32_t a, std::uint32_t b) const {
  return std::ranges::any_of(sets_[a], [&](const HeldLock& in_a) {
    return std::ranges::any_of(sets_[b], [&](const HeldLock& in_b) {
      return in_a.process == in_b.process && in_a.lock == in_b.lock && !(in_a.shared && in_b.shared);
    });
  });
}

}  // namespace raceway::causality
