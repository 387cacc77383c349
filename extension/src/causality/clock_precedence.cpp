#include "causality/clock_precedence.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string_view>
#include <utility>

namespace raceway::causality {

namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

/// The sum of fewer than 2^64 counters.
__extension__ typedef unsigned __int128 Sum;

/// A counter above zero, its component's name replaced by a number.
struct Entry {
  std::uint32_t component = 0;
  Counter counter = 0;

  friend auto operator<=>(const Entry&, const Entry&) = default;
};

using Clock = std::span<Entry>;

/// Numbers names. Clocks of one trace name the same components in the same order most of the time, so the name that
/// followed last time is tried before the tree is asked. A tree and no hash table: names come from outside, and no
/// choice of names may make this slow.
class Names {
 public:
  /// What is "before" a clock's first name.
  static constexpr std::uint32_t start = 0;

  std::uint32_t number(std::string_view name, std::uint32_t previous) {
    const std::uint32_t guess = follower_[previous];
    if (guess != start && names_[guess] == name) return guess;
    const auto [at, added] = numbers_.try_emplace(name, static_cast<std::uint32_t>(names_.size()));
    if (added) {
      names_.push_back(name);
      follower_.push_back(start);
    }
    return follower_[previous] = at->second;
  }

  std::size_t size() const { return names_.size(); }

  /// From numbers by first appearance to numbers by the order of names.
  std::vector<std::uint32_t> ranks() const {
    std::vector<std::uint32_t> ranks(names_.size());
    std::uint32_t rank = 0;
    for (const auto& [name, number] : numbers_) ranks[number] = rank++;
    return ranks;
  }

 private:
  struct ByName {
    bool operator()(std::string_view a, std::string_view b) const { return compare_names(a, b) < 0; }
  };

  std::map<std::string_view, std::uint32_t, ByName> numbers_;
  std::vector<std::string_view> names_ = {{}};
  std::vector<std::uint32_t> follower_ = {start};
};

/// All clocks, one behind the other, zeros left out.
struct Clocks {
  std::vector<Entry> entries;
  std::vector<std::size_t> begin = {0};
  std::vector<Sum> sums;
  std::size_t components = 0;

  Clock clock(std::size_t i) { return {entries.data() + begin[i], begin[i + 1] - begin[i]}; }
};

Clocks number_components(std::span<const std::span<const Component>> clocks) {
  Clocks result;
  Names names;
  std::size_t size = 0;
  for (const auto& clock : clocks) size += clock.size();
  result.entries.reserve(size);
  for (const auto& clock : clocks) {
    Sum sum = 0;
    std::uint32_t previous = Names::start;
    for (const Component& component : clock) {
      if (component.counter == 0) continue;
      previous = names.number(component.name, previous);
      result.entries.push_back({previous, component.counter});
      sum += component.counter;
    }
    result.begin.push_back(result.entries.size());
    result.sums.push_back(sum);
  }
  const auto ranks = names.ranks();
  for (Entry& entry : result.entries) entry.component = ranks[entry.component];
  result.components = names.size();
  return result;
}

/// Fills class_of and classes; the answer is one clock for each class.
std::vector<Clock> group_equal(Clocks& clocks, ClockPrecedence& precedence) {
  struct Item {
    Sum sum;
    std::uint32_t index;
  };
  const std::size_t count = clocks.sums.size();
  std::vector<Item> items;
  for (std::size_t i = 0; i < count; ++i) {
    if (clocks.sums[i] != 0) items.push_back({clocks.sums[i], static_cast<std::uint32_t>(i)});
  }
  std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    if (a.sum != b.sum) return a.sum < b.sum;
    return std::ranges::lexicographical_compare(clocks.clock(a.index), clocks.clock(b.index));
  });
  std::vector<Clock> classes;
  precedence.class_of.assign(count, ClockPrecedence::no_class);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Clock clock = clocks.clock(items[i].index);
    if (i == 0 || items[i].sum != items[i - 1].sum || !std::ranges::equal(clock, classes.back())) {
      classes.push_back(clock);
    }
    precedence.class_of[items[i].index] = static_cast<std::uint32_t>(classes.size() - 1);
  }
  precedence.classes = static_cast<std::uint32_t>(classes.size());
  return classes;
}

/// Decomposes classes into chains and links each class to its last predecessor in every chain.
class Chains {
 public:
  Chains(std::vector<Clock> clocks, std::size_t components, std::uint64_t limit)
      : clocks_(std::move(clocks)),
        limit_(limit),
        frequency_(components),
        current_(components),
        highest_(components),
        raised_by_(components, none),
        with_component_(components) {
    for (const Clock& clock : clocks_) {
      for (const Entry& entry : clock) ++frequency_[entry.component];
    }
  }

  /// False: given up, and the rest strung.
  bool link_all() {
    for (std::uint32_t i = 0; i < clocks_.size(); ++i) {
      if (steps_ > limit_) {
        string_from(i);
        return false;
      }
      for (const Entry& entry : clocks_[i]) current_[entry.component] = entry.counter;
      link(i);
      for (const Entry& entry : clocks_[i]) current_[entry.component] = 0;
    }
    return true;
  }

  std::vector<Edge> take_edges() { return std::move(edges_); }

 private:
  /// So many of a chain's classes, from its first one, happened before some class.
  struct Prefix {
    std::uint32_t chain;
    std::uint32_t length;
  };

  struct Chain {
    std::vector<std::uint32_t> classes;
    /// What happened before the chain's last class. Left empty when all of these together would take too much.
    std::vector<Prefix> past;
  };

  /// An edge costs memory, too.
  static constexpr std::uint64_t steps_for_an_edge = 64;
  static constexpr std::size_t most_remembered = std::size_t{1} << 22;

  /// Did `earlier`, a class other than the current one, happen before it?
  bool before_current(std::uint32_t earlier) {
    for (const Entry& entry : clocks_[earlier]) {
      ++steps_;
      if (entry.counter > current_[entry.component]) return false;
    }
    return true;
  }

  /// How much of a chain happened before the current class, when it is known to be `known` at least.
  std::uint32_t prefix(const std::vector<std::uint32_t>& classes, std::uint32_t known) {
    ++steps_;
    const auto size = static_cast<std::uint32_t>(classes.size());
    if (known == size || !before_current(classes[known])) return known;
    std::uint32_t inside = known;
    std::uint32_t stride = 1;
    while (stride < size - inside && before_current(classes[inside + stride])) {
      inside += stride;
      stride *= 2;
    }
    std::uint32_t outside = inside + std::min(stride, size - inside);
    while (outside - inside > 1) {
      const std::uint32_t middle = inside + (outside - inside) / 2;
      (before_current(classes[middle]) ? inside : outside) = middle;
    }
    return outside;
  }

  std::uint32_t last(std::uint32_t chain) const { return chains_[chain].classes.back(); }

  /// The chain of the thread that made this clock, if it shows: a thread raises its own counter to where nobody has
  /// seen it, so the chain that raised the same counter before is continued. Notes the raised components.
  std::uint32_t own_chain(Clock clock) {
    std::uint32_t own = none;
    raised_.clear();
    for (Entry& entry : clock) {
      if (entry.counter <= highest_[entry.component]) continue;
      highest_[entry.component] = entry.counter;
      raised_.push_back(entry.component);
      const std::uint32_t chain = raised_by_[entry.component];
      if (chain != none && (own == none || last(chain) > last(own)) && before_current(last(chain))) own = chain;
      // Whoever has not seen this clock has not seen this counter: compare it first.
      std::swap(clock.front(), entry);
    }
    return own;
  }

  void link(std::uint32_t current) {
    const Clock clock = clocks_[current];
    std::uint32_t chain = own_chain(clock);
    const bool known_chain = chain != none;
    known_.resize(chains_.size());
    if (known_chain) {
      for (const Prefix& past : chains_[chain].past) known_[past.chain] = past.length;
    }
    past_.clear();
    for (const Entry& entry : clock) {
      for (const std::uint32_t other : with_component_[entry.component]) {
        const auto& classes = chains_[other].classes;
        const std::uint32_t length = prefix(classes, known_[other]);
        if (length > known_[other]) add_edge(classes[length - 1], current);
        if (length > 0) past_.push_back({other, length});
        if (known_chain || length < classes.size()) continue;
        if (chain == none || last(other) > last(chain)) chain = other;
      }
    }
    for (const Prefix& past : past_) known_[past.chain] = 0;
    append(chain == none ? new_chain(clock) : chain, current);
  }

  void add_edge(std::uint32_t from, std::uint32_t to) {
    edges_.push_back({from, to});
    steps_ += steps_for_an_edge;
  }

  std::uint32_t new_chain(Clock clock) {
    const auto rarest = std::ranges::min_element(
        clock, {}, [&](const Entry& entry) { return std::pair(frequency_[entry.component], entry.component); });
    const auto chain = static_cast<std::uint32_t>(chains_.size());
    chains_.emplace_back();
    with_component_[rarest->component].push_back(chain);
    return chain;
  }

  void append(std::uint32_t chain, std::uint32_t current) {
    Chain& to = chains_[chain];
    to.classes.push_back(current);
    remembered_ -= to.past.size();
    to.past.clear();
    if (remembered_ + past_.size() <= most_remembered) {
      to.past = past_;
      remembered_ += past_.size();
    }
    for (const std::uint32_t component : raised_) raised_by_[component] = chain;
  }

  void string_from(std::uint32_t first) {
    for (const Chain& chain : chains_) edges_.push_back({chain.classes.back(), first});
    for (std::uint32_t i = first; i + 1 < clocks_.size(); ++i) edges_.push_back({i, i + 1});
  }

  std::vector<Clock> clocks_;
  std::uint64_t limit_;
  std::uint64_t steps_ = 0;
  std::vector<std::uint32_t> frequency_;  // by component: in how many classes it is
  std::vector<Counter> current_;          // by component: the counters of the class that is being linked
  std::vector<Counter> highest_;          // by component: in the classes linked so far
  std::vector<std::uint32_t> raised_by_;  // by component: the chain whose class raised the highest counter
  std::vector<std::vector<std::uint32_t>> with_component_;  // by component: the chains that are found by it
  std::vector<Chain> chains_;
  std::vector<Edge> edges_;
  std::size_t remembered_ = 0;  // prefixes in the chains' pasts
  // Kept between calls of link() for their memory only; known_ is all zeros there.
  std::vector<std::uint32_t> raised_;
  std::vector<std::uint32_t> known_;
  std::vector<Prefix> past_;
};

}  // namespace

ClockPrecedence clock_precedence(std::span<const std::span<const Component>> clocks, SearchLimit limit) {
  ClockPrecedence precedence;
  Clocks numbered = number_components(clocks);
  std::vector<Clock> classes = group_equal(numbered, precedence);
  Chains chains(std::move(classes), numbered.components,
                limit.fixed + limit.for_each_counter * numbered.entries.size());
  precedence.exact = chains.link_all();
  precedence.edges = chains.take_edges();
  return precedence;
}

}  // namespace raceway::causality
