// The clock of a log's event, and what identifies the event.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "causality/clock.hpp"
#include "wire/arena.hpp"
#include "wire/event.hpp"

namespace raceway::server::moving {

/// A clock as a log writes it: a JSON object, its quotes escaped or not (TLA+ prints a string that holds one).
class LogClock {
 public:
  /// With `is_own` the components' names are unescaped, too.
  LogClock(std::string_view written, bool is_own);

  /// As JSON, with what the log says; empty where it is no JSON object.
  const std::string& json() const { return json_; }

  /// Counters above zero, in the order of names; empty where they are no clock's.
  const std::vector<causality::Component>& components() const { return components_; }

  causality::Counter counter_of(std::string_view host) const;

  /// A time for an event that has none in its log: it rises with the clock, and is the same wherever the event is read.
  wire::Micros time() const;

 private:
  void read(std::string_view written, bool is_own);

  wire::Arena arena_;
  std::string json_;
  std::vector<causality::Component> components_;  // refer to arena_
};

/// Names events by what they are, not by where they stand: by trace, host, clock and text. So a log that is read again,
/// grown, rotated or under another name has the same ids, and what differs has others.
class LogIdentities {
 public:
  using Groups = std::vector<std::pair<std::string, std::string_view>>;

  /// Where the host has no counter in the clock, equal events are told apart by which of them this is: the first, the
  /// second, ... that was asked for.
  std::string id_of(std::string_view trace, std::string_view host, const LogClock& clock, const Groups& groups);

 private:
  std::unordered_map<std::string, std::uint64_t> seen_;  // of events without a counter of their own, by digest
};

}  // namespace raceway::server::moving
