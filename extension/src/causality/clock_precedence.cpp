#include "causality/clock_precedence.hpp"

#include <algorithm>
#include <cstddef>
#include <new>
#include <numeric>
#include <string_view>
#include <utility>

namespace raceway::causality {

namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

using Entry = NumberedClocks::Entry;
using Clock = std::span<Entry>;

/// Below 2^64: there are fewer than 2^32 counters, and each is.
std::uint64_t sum_of(Clock clock) {
  std::uint64_t sum = 0;
  for (const Entry& entry : clock) sum += entry.counter;
  return sum;
}

/// Fills class_of and classes; the answer is one clock for each class, by its place.
std::vector<std::uint32_t> group_equal(NumberedClocks& clocks, ClockPrecedence& precedence) {
  struct Item {
    std::uint64_t sum;
    std::uint32_t clock;
  };
  std::vector<Item> items;
  items.reserve(clocks.size());
  for (std::uint32_t clock = 0; clock < clocks.size(); ++clock) {
    if (!clocks[clock].empty()) items.push_back({sum_of(clocks[clock]), clock});
  }
  std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    if (a.sum != b.sum) return a.sum < b.sum;
    return std::ranges::lexicographical_compare(clocks[a.clock], clocks[b.clock]);
  });
  std::vector<std::uint32_t> classes;
  precedence.class_of.assign(clocks.size(), ClockPrecedence::no_class);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::uint32_t clock = items[i].clock;
    if (i == 0 || items[i].sum != items[i - 1].sum || !std::ranges::equal(clocks[clock], clocks[classes.back()])) {
      classes.push_back(clock);
    }
    precedence.class_of[clock] = static_cast<std::uint32_t>(classes.size() - 1);
  }
  precedence.classes = static_cast<std::uint32_t>(classes.size());
  return classes;
}

/// Decomposes classes into chains and links each class to its last predecessor in every chain.
class Chains {
 public:
  Chains(NumberedClocks& clocks, std::vector<std::uint32_t> classes, std::uint64_t limit)
      : clocks_(clocks),
        classes_(std::move(classes)),
        limit_(limit),
        frequency_(clocks.components()),
        current_(clocks.components()),
        highest_(clocks.components()),
        raised_by_(clocks.components(), none),
        with_component_(clocks.components()) {
    for (std::uint32_t i = 0; i < classes_.size(); ++i) {
      for (const Entry& entry : clock(i)) ++frequency_[entry.component];
    }
  }

  /// False: given up, and the rest strung.
  bool link_all() {
    for (std::uint32_t i = 0; i < classes_.size(); ++i) {
      if (steps_ > limit_) {
        string_from(i);
        return false;
      }
      for (const Entry& entry : clock(i)) current_[entry.component] = entry.counter;
      link(i);
      for (const Entry& entry : clock(i)) current_[entry.component] = 0;
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

  Clock clock(std::uint32_t clock_class) { return clocks_[classes_[clock_class]]; }

  /// Did `earlier`, a class other than the current one, happen before it?
  bool before_current(std::uint32_t earlier) {
    for (const Entry& entry : clock(earlier)) {
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
    const Clock clock = this->clock(current);
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
    for (std::uint32_t i = first; i + 1 < classes_.size(); ++i) edges_.push_back({i, i + 1});
  }

  NumberedClocks& clocks_;
  const std::vector<std::uint32_t> classes_;
  std::uint64_t limit_;
  std::uint64_t steps_ = 0;
  std::vector<std::uint32_t> frequency_;  // by component: in how many classes it is
  std::vector<std::uint32_t> current_;    // by component: the counters of the class that is being linked
  std::vector<std::uint32_t> highest_;    // by component: in the classes linked so far
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

void NumberedClocks::add(std::span<const Component> clock) {
  if (entries_.size() + clock.size() > std::numeric_limits<std::uint32_t>::max()) throw std::bad_alloc();
  std::uint32_t previous = 0;
  for (const Component& component : clock) {
    if (component.counter == 0) continue;
    previous = number(component.name, previous);
    const auto high = static_cast<std::uint32_t>(component.counter >> 32U);
    if (high != 0 && !is_wide_) {
      is_wide_ = true;
      high_.resize(entries_.size());
    }
    // By a quarter: most of what there is is this.
    if (entries_.size() == entries_.capacity()) entries_.reserve(std::max<std::size_t>(64, entries_.size() / 4 * 5));
    entries_.push_back({previous, static_cast<std::uint32_t>(component.counter)});
    if (is_wide_) high_.push_back(high);
  }
  begin_.push_back(static_cast<std::uint32_t>(entries_.size()));
}

std::uint32_t NumberedClocks::number(std::string_view name, std::uint32_t previous) {
  const std::uint32_t guess = follower_[previous];
  if (guess != 0 && names_[guess - 1] == name) return guess;
  const auto known = numbers_.find(name);
  if (known != numbers_.end()) return follower_[previous] = known->second;
  const auto fresh = static_cast<std::uint32_t>(names_.size() + 1);
  numbers_.emplace(names_.emplace_back(name), fresh);
  follower_.push_back(0);
  return follower_[previous] = fresh;
}

void NumberedClocks::finish() {
  std::vector<std::uint32_t> ranks(names_.size() + 1);
  std::uint32_t rank = 0;
  for (const auto& [name, number] : numbers_) ranks[number] = ++rank;
  for (Entry& entry : entries_) entry.component = ranks[entry.component];
  if (is_wide_) rank_counters();
}

void NumberedClocks::rank_counters() {
  std::vector<std::uint32_t> order(entries_.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto counter = [this](std::uint32_t at) { return Counter{high_[at]} << 32U | entries_[at].counter; };
  std::ranges::sort(order, {}, [&](std::uint32_t at) { return std::pair(entries_[at].component, counter(at)); });
  std::uint32_t rank = 0;
  Counter before = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t at = order[i];
    if (i == 0 || entries_[at].component != entries_[order[i - 1]].component) {
      rank = 0;
      before = 0;
    }
    const Counter now = counter(at);
    if (now != before) ++rank;
    before = now;
    entries_[at].counter = rank;
  }
  high_ = {};
}

std::size_t NumberedClocks::bytes() const {
  return entries_.capacity() * sizeof(Entry) + high_.capacity() * sizeof(high_[0]) +
         begin_.capacity() * sizeof(begin_[0]);
}

ClockPrecedence clock_precedence(NumberedClocks clocks, SearchLimit limit) {
  ClockPrecedence precedence;
  std::vector<std::uint32_t> classes = group_equal(clocks, precedence);
  Chains chains(clocks, std::move(classes), limit.fixed + limit.for_each_counter * clocks.counters());
  precedence.exact = chains.link_all();
  precedence.edges = chains.take_edges();
  return precedence;
}

}  // namespace raceway::causality
