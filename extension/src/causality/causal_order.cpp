#include "causality/causal_order.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <queue>
#include <tuple>
#include <utility>

#include "causality/clock_precedence.hpp"
#include "causality/digraph.hpp"

namespace raceway::causality {

namespace {

constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

// Below, an event is known by its rank: its place by (timestamp, nanos, id). So the smaller number goes first.
using Rank = std::uint32_t;
using Ranks = std::vector<Rank>;
using SmallestFirst = std::priority_queue<Rank, Ranks, std::greater<>>;

/// Takes its parent from the earliest event of each cycle of parents.
void cut_parent_cycles(Ranks& parents) {
  Ranks walk_of(parents.size(), none);
  for (Rank first = 0; first < parents.size(); ++first) {
    Rank at = first;
    while (at != none && walk_of[at] == none) {
      walk_of[at] = first;
      at = parents[at];
    }
    if (at == none || walk_of[at] != first) continue;
    Rank earliest = at;
    for (Rank other = parents[at]; other != at; other = parents[other]) earliest = std::min(earliest, other);
    parents[earliest] = none;
  }
}

/// What has to wait for what. The nodes are the events, by rank, then two for each class of equal clocks: it opens when
/// all classes before it are complete and lets its events pass; it is complete when it opened and they all did.
struct Constraints {
  std::uint32_t events = 0;
  Ranks parents;
  Digraph graph;

  bool is_event(std::uint32_t node) const { return node < events; }
};

/// `by_time`: the place of each rank.
Constraints find_constraints(Ranks parents, NumberedClocks clocks, std::span<const std::uint32_t> by_time) {
  const auto count = static_cast<std::uint32_t>(parents.size());
  cut_parent_cycles(parents);
  ClockPrecedence clock_order = clock_precedence(std::move(clocks));

  const auto opens = [&](std::uint32_t clock_class) { return count + 2 * clock_class; };
  const auto complete = [&](std::uint32_t clock_class) { return count + 2 * clock_class + 1; };
  std::vector<Edge> edges = std::move(clock_order.edges);
  edges.reserve(edges.size() + clock_order.classes + std::size_t{3} * count);
  for (Edge& edge : edges) edge = {complete(edge.from), opens(edge.to)};
  // Not implied once events are released against their clocks: what follows those must not follow too early.
  for (std::uint32_t i = 0; i < clock_order.classes; ++i) edges.push_back({opens(i), complete(i)});
  for (Rank rank = 0; rank < count; ++rank) {
    if (parents[rank] != none) edges.push_back({parents[rank], rank});
    const std::uint32_t clock_class = clock_order.class_of[by_time[rank]];
    if (clock_class == ClockPrecedence::no_class) continue;
    edges.push_back({opens(clock_class), rank});
    edges.push_back({rank, complete(clock_class)});
  }
  return {count, std::move(parents), Digraph(count + 2 * clock_order.classes, edges)};
}

/// How far the ordering has come.
struct Progress {
  std::vector<std::uint32_t> waiting_for;  // by node: its predecessors that are not done
  std::vector<bool> done;                  // by node; for an event: it stands in the order
};

/// Decides who goes first where constraints contradict each other: parent links and clocks then run in a circle, and
/// all events of the circle wait for each other. A knot is one strongly connected component of the constraints.
///
/// Only an untied knot, one with nothing left to wait for outside, gives up an event. In such a knot some event misses
/// only its parent, because one of the knot's clocks is the earliest; so an ancestor has to go against its clock: the
/// topmost one whose own parent is through.
class Contradictions {
 public:
  Contradictions(const Constraints& constraints, const Progress& progress)
      : constraints_(constraints),
        progress_(progress),
        knot_of_(strongly_connected(constraints.graph)),
        waited_for_(constraints.events),
        outside_(constraints.graph.nodes()),
        members_(constraints.graph.nodes(), members(constraints.events)) {
    for (std::uint32_t node = 0; node < constraints_.graph.nodes(); ++node) {
      if (progress_.done[node]) continue;
      for (const std::uint32_t next : constraints_.graph.successors(node)) {
        if (crosses(node, next)) ++outside_[knot_of_[next]];
      }
    }
    for (Rank event = 0; event < constraints_.events; ++event) {
      if (!progress_.done[event]) one_less(event);
    }
  }

  /// To be told of every edge whose source is done.
  void passed(std::uint32_t from, std::uint32_t to) {
    if (constraints_.is_event(to) && !progress_.done[to]) one_less(to);
    if (!crosses(from, to) || --outside_[knot_of_[to]] > 0) return;
    for (const Rank member : members_.successors(knot_of_[to])) offer(member);
  }

  /// The event to go first. To be called only when no event is free to go and some are left.
  Rank release() {
    while (progress_.done[offers_.top()]) offers_.pop();
    return offers_.top();
  }

 private:
  std::vector<Edge> members(std::uint32_t events) const {
    std::vector<Edge> edges;
    for (Rank event = 0; event < events; ++event) edges.push_back({knot_of_[event], event});
    return edges;
  }

  bool crosses(std::uint32_t from, std::uint32_t to) const { return knot_of_[from] != knot_of_[to]; }

  bool parent_missing(Rank event) const {
    const Rank parent = constraints_.parents[event];
    return parent != none && !progress_.done[parent];
  }

  /// An event is not free yet, but may wait for less than before.
  void one_less(Rank event) {
    offer(event);
    if (progress_.waiting_for[event] != 1 || !parent_missing(event)) return;
    for (Rank ancestor = constraints_.parents[event]; ancestor != none; ancestor = constraints_.parents[ancestor]) {
      if (progress_.done[ancestor] || waited_for_[ancestor] || crosses(ancestor, event)) return;
      waited_for_[ancestor] = true;
      offer(ancestor);
    }
  }

  void offer(Rank event) {
    if (progress_.done[event] || !waited_for_[event] || parent_missing(event) || outside_[knot_of_[event]] > 0) return;
    offers_.push(event);
  }

  const Constraints& constraints_;
  const Progress& progress_;
  std::vector<std::uint32_t> knot_of_;
  std::vector<bool> waited_for_;        // by event: a descendant in its knot misses nothing but the parent
  std::vector<std::uint32_t> outside_;  // by knot: edges into it from nodes outside that are not done
  Digraph members_;                     // from knots to their events
  SmallestFirst offers_;
};

/// Topological sorting (Kahn 1962) that always takes the smallest rank that is free.
class Ordering {
 public:
  explicit Ordering(const Constraints& constraints) : constraints_(constraints) {
    const Digraph& graph = constraints_.graph;
    progress_.waiting_for.resize(graph.nodes());
    progress_.done.resize(graph.nodes());
    for (std::uint32_t node = 0; node < graph.nodes(); ++node) {
      for (const std::uint32_t next : graph.successors(node)) ++progress_.waiting_for[next];
    }
  }

  Ranks run() && {
    start();
    while (order_.size() < constraints_.events) {
      if (free_.empty()) {
        if (!contradictions_) contradictions_.emplace(constraints_, progress_);
        place(contradictions_->release());
      } else {
        const Rank event = free_.top();
        free_.pop();
        place(event);
      }
    }
    return std::move(order_);
  }

 private:
  void start() {
    const std::uint32_t nodes = constraints_.graph.nodes();
    std::vector<std::uint32_t> sources;
    for (std::uint32_t node = 0; node < nodes; ++node) {
      if (progress_.waiting_for[node] == 0) sources.push_back(node);
    }
    for (const std::uint32_t node : sources) freed(node);
    finish_all();
  }

  void place(Rank event) {
    order_.push_back(event);
    finished_.push_back(event);
    progress_.done[event] = true;
    finish_all();
  }

  /// A node has nothing left to wait for. What is not an event is done by that.
  void freed(std::uint32_t node) {
    if (progress_.done[node]) return;  // was released against its clock
    if (constraints_.is_event(node)) {
      free_.push(node);
    } else {
      progress_.done[node] = true;
      finished_.push_back(node);
    }
  }

  void finish_all() {
    while (!finished_.empty()) {
      const std::uint32_t node = finished_.back();
      finished_.pop_back();
      for (const std::uint32_t next : constraints_.graph.successors(node)) {
        if (--progress_.waiting_for[next] == 0) freed(next);
        if (contradictions_) contradictions_->passed(node, next);
      }
    }
  }

  const Constraints& constraints_;
  Progress progress_;
  std::vector<std::uint32_t> finished_;  // done, but their successors still have to learn it
  SmallestFirst free_;
  std::optional<Contradictions> contradictions_;
  Ranks order_;
};

}  // namespace

TraceOrder::TraceOrder(std::size_t events) {
  times_.reserve(events);
  ids_.reserve(events);
  parents_.reserve(events);
}

void TraceOrder::add(Key id, Key parent, std::int64_t timestamp, std::int32_t nanos, std::span<const Component> clock) {
  times_.push_back({timestamp, nanos, static_cast<std::uint32_t>(times_.size())});
  ids_.push_back(id);
  parents_.push_back(parent);
  clocks_.add(clock);
}

std::size_t TraceOrder::bytes() const {
  return times_.capacity() * (sizeof(Time) + 2 * sizeof(Key)) + clocks_.bytes();
}

/// By time, then by id, then by place.
std::vector<std::uint32_t> TraceOrder::sorted_by_time(const ReadIds& read_ids) {
  const auto time = [](const Time& at) { return std::pair(at.timestamp, at.nanos); };
  std::ranges::sort(times_, {}, [&](const Time& at) { return std::tuple(at.timestamp, at.nanos, at.place); });
  std::vector<std::uint32_t> tied;
  for (std::size_t i = 0; i < times_.size(); ++i) {
    const bool as_before = i > 0 && time(times_[i]) == time(times_[i - 1]);
    const bool as_behind = i + 1 < times_.size() && time(times_[i]) == time(times_[i + 1]);
    if (as_before || as_behind) tied.push_back(times_[i].place);
  }
  if (!tied.empty()) {
    std::ranges::sort(tied);
    const auto ids = read_ids(tied);
    const auto id = [&](std::uint32_t place) -> const std::string& {
      return ids[static_cast<std::size_t>(std::ranges::lower_bound(tied, place) - tied.begin())];
    };
    for (std::size_t from = 0; from < times_.size();) {
      std::size_t to = from + 1;
      while (to < times_.size() && time(times_[to]) == time(times_[from])) ++to;
      std::stable_sort(times_.begin() + static_cast<std::ptrdiff_t>(from),
                       times_.begin() + static_cast<std::ptrdiff_t>(to),
                       [&](const Time& a, const Time& b) { return id(a.place) < id(b.place); });
      from = to;
    }
  }
  std::vector<std::uint32_t> places;
  places.reserve(times_.size());
  for (const Time& at : times_) places.push_back(at.place);
  times_ = {};
  return places;
}

/// For each event, by rank, the rank of its parent, or none. Of several with one id it is the earliest.
std::vector<std::uint32_t> TraceOrder::find_parents(std::span<const std::uint32_t> by_time) {
  struct Item {
    Key id;
    Rank rank;
    auto operator<=>(const Item&) const = default;
  };
  // Sorted and no hash table: ids come from outside, and no choice of ids may make this slow.
  std::vector<Item> by_id;
  by_id.reserve(by_time.size());
  for (const std::uint32_t place : by_time) by_id.push_back({ids_[place], static_cast<Rank>(by_id.size())});
  ids_ = {};
  std::ranges::sort(by_id);
  Ranks parents(by_time.size(), none);
  for (Rank rank = 0; rank < parents.size(); ++rank) {
    const Key parent = parents_[by_time[rank]];
    if (parent == 0) continue;
    const auto at = std::ranges::lower_bound(by_id, Item{parent, 0});
    if (at != by_id.end() && at->id == parent) parents[rank] = at->rank;
  }
  parents_ = {};
  return parents;
}

std::vector<std::uint32_t> TraceOrder::order(const ReadIds& read_ids) && {
  clocks_.finish();
  const std::vector<std::uint32_t> by_time = sorted_by_time(read_ids);
  Ranks parents = find_parents(by_time);
  const Constraints constraints = find_constraints(std::move(parents), std::move(clocks_), by_time);
  std::vector<std::uint32_t> order = Ordering(constraints).run();
  for (std::uint32_t& place : order) place = by_time[place];
  return order;
}

std::vector<std::uint32_t> causal_order(std::span<const TraceEvent> events) {
  std::vector<std::string_view> ids;
  ids.reserve(events.size());
  for (const TraceEvent& event : events) ids.push_back(event.id);
  std::ranges::sort(ids);
  const auto key = [&](std::string_view id) -> TraceOrder::Key {
    const auto at = std::ranges::lower_bound(ids, id);
    return at != ids.end() && *at == id ? static_cast<TraceOrder::Key>(at - ids.begin()) + 1 : 0;
  };
  TraceOrder order(events.size());
  for (const TraceEvent& event : events) {
    order.add(key(event.id), event.parent_id.empty() ? 0 : key(event.parent_id), event.timestamp, event.nanos,
              event.clock);
  }
  return std::move(order).order([&](std::span<const std::uint32_t> places) {
    std::vector<std::string> texts;
    for (const std::uint32_t place : places) texts.emplace_back(events[place].id);
    return texts;
  });
}

}  // namespace raceway::causality
