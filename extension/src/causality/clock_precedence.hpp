// Happened-before among the clocks of many events, as a graph with few edges instead of all pairs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "causality/clock.hpp"
#include "causality/digraph.hpp"

namespace raceway::causality {

/// The clocks of a trace in little memory: eight bytes a counter and four a clock, the names of components once. Zeros
/// are left out.
class NumberedClocks {
 public:
  struct Entry {
    std::uint32_t component = 0;
    std::uint32_t counter = 0;  ///< what orders it among those of its component

    friend auto operator<=>(const Entry&, const Entry&) = default;
  };

  NumberedClocks() = default;
  NumberedClocks(NumberedClocks&&) = default;
  NumberedClocks& operator=(NumberedClocks&&) = default;
  NumberedClocks(const NumberedClocks&) = delete;
  NumberedClocks& operator=(const NumberedClocks&) = delete;
  ~NumberedClocks() = default;

  /// Adds the next clock, as TraceEvent::clock has it; nothing of it needs to stay.
  void add(std::span<const Component> clock);
  /// To be called once, behind the last add(): components get their numbers by the order of their names, and counters
  /// that are too large for an Entry are replaced by their ranks, which compare as they do.
  void finish();

  std::uint32_t size() const { return static_cast<std::uint32_t>(begin_.size() - 1); }
  std::size_t counters() const { return entries_.size(); }
  std::size_t components() const { return names_.size() + 1; }
  std::span<Entry> operator[](std::uint32_t clock) {
    return {entries_.data() + begin_[clock], begin_[clock + 1] - begin_[clock]};
  }
  /// What it takes of the heap, but for the names.
  std::size_t bytes() const;

 private:
  struct ByName {
    bool operator()(std::string_view a, std::string_view b) const { return compare_names(a, b) < 0; }
  };

  std::uint32_t number(std::string_view name, std::uint32_t previous);
  void rank_counters();

  std::vector<Entry> entries_;
  bool is_wide_ = false;             // whether a counter needs more than an Entry has
  std::vector<std::uint32_t> high_;  // then the upper halves of all
  std::vector<std::uint32_t> begin_ = {0};
  std::deque<std::string> names_;  // by number, from 1
  // A tree and no hash table: names come from outside, and no choice of names may make this slow.
  std::map<std::string_view, std::uint32_t, ByName> numbers_;
  std::vector<std::uint32_t> follower_ = {0};  // by number: the name that followed last time, tried first
};

struct ClockPrecedence {
  static constexpr std::uint32_t no_class = std::numeric_limits<std::uint32_t>::max();

  /// For each clock the number of its class: equal clocks share one. Classes are numbered by rising sums of counters,
  /// then by contents. `no_class` for a clock without a counter above zero.
  std::vector<std::uint32_t> class_of;
  std::uint32_t classes = 0;
  /// Edges lead from smaller to larger class numbers.
  std::vector<Edge> edges;
  /// True: class a can reach class b exactly if a's clock happened before b's. False: the search was given up, and
  /// some classes reach others that are concurrent with them; whatever happened before is still reachable.
  bool exact = true;
};

/// Steps of the search beyond which it is given up: one for each counter compared, 64 for each edge. The default lets
/// some 15,000 clocks through even if no two of them are ordered, and then takes about half a second.
struct SearchLimit {
  std::uint64_t fixed = std::uint64_t{1} << 28;
  std::uint64_t for_each_counter = 64;
};

/// Depends on the set of clocks only, not on their order, but for `class_of`.
///
/// The classes are taken by rising sums, a linear extension of happened-before, and are decomposed into chains. In a
/// chain, those before a given clock are a prefix, so one edge a chain is enough, and the search for it starts where
/// it ended for the clock's predecessor in its own chain. The chains that can hold a predecessor are found by a
/// component that all their clocks have: the rarest one of the first clock. That is O(N log n + n c) for N counters,
/// n clocks and c chains that share components with a clock. Past `limit` the classes left over are strung in the order
/// of their sums, which is O(n).
ClockPrecedence clock_precedence(NumberedClocks clocks, SearchLimit limit = {});

}  // namespace raceway::causality
