#include "causality/constraint_order.hpp"

#include <functional>
#include <optional>
#include <queue>
#include <utility>

namespace raceway::causality {

namespace {

using Nodes = std::vector<std::uint32_t>;
using SmallestFirst = std::priority_queue<std::uint32_t, Nodes, std::greater<>>;

/// Edges between events are links; clocks act by way of the nodes of classes.
Digraph find_constraints(const ConstraintOrder& order, std::span<const Edge> links) {
  std::vector<Edge> edges(links.begin(), links.end());
  edges.reserve(edges.size() + order.clocks.edges.size() + order.clocks.classes + std::size_t{2} * order.events);
  order.each_clock_edge([&](std::uint32_t from, std::uint32_t to) { edges.push_back({from, to}); });
  return {order.count(), edges};
}

/// How far the ordering has come.
struct Progress {
  Nodes waiting_for;       // by node: its predecessors that are not done
  std::vector<bool> done;  // by node; for an event: it stands in the order
};

/// Decides who goes first where constraints contradict each other: links and clocks then run in a circle, and all
/// events of the circle wait for each other. A knot is one strongly connected component of the constraints.
///
/// Only an untied knot, one with nothing left to wait for outside, gives up an event. In such a knot some event misses
/// only links, because one of the knot's clocks is the earliest; so an event that it is linked from has to go against
/// its clock: one of those that miss no link themselves.
class Contradictions {
 public:
  Contradictions(const Digraph& graph, std::uint32_t events, const Progress& progress)
      : graph_(graph),
        events_(events),
        progress_(progress),
        knot_of_(strongly_connected(graph)),
        links_left_(events),
        waited_for_(events),
        outside_(graph.nodes()),
        linked_from_(events, links_left()),
        members_(graph.nodes(), members()) {
    for (std::uint32_t node = 0; node < graph_.nodes(); ++node) {
      if (progress_.done[node]) continue;
      for (const std::uint32_t next : graph_.successors(node)) {
        if (crosses(node, next)) ++outside_[knot_of_[next]];
      }
    }
    for (std::uint32_t event = 0; event < events_; ++event) {
      if (!progress_.done[event]) one_less(event);
    }
  }

  /// To be told of every edge whose source is done.
  void passed(std::uint32_t from, std::uint32_t to) {
    if (is_event(to) && !progress_.done[to]) {
      if (is_event(from)) --links_left_[to];
      one_less(to);
    }
    if (!crosses(from, to) || --outside_[knot_of_[to]] > 0) return;
    for (const std::uint32_t member : members_.successors(knot_of_[to])) offer(member);
  }

  /// The event to go first. To be called only when no event is free to go and some are left.
  std::uint32_t release() {
    while (progress_.done[offers_.top()]) offers_.pop();
    return offers_.top();
  }

 private:
  bool is_event(std::uint32_t node) const { return node < events_; }
  bool crosses(std::uint32_t from, std::uint32_t to) const { return knot_of_[from] != knot_of_[to]; }

  /// Counts the links between events that are not done, and answers them backwards.
  std::vector<Edge> links_left() {
    std::vector<Edge> backwards;
    for (std::uint32_t event = 0; event < events_; ++event) {
      if (progress_.done[event]) continue;
      for (const std::uint32_t next : graph_.successors(event)) {
        if (!is_event(next) || progress_.done[next]) continue;
        ++links_left_[next];
        backwards.push_back({next, event});
      }
    }
    return backwards;
  }

  std::vector<Edge> members() const {
    std::vector<Edge> edges;
    for (std::uint32_t event = 0; event < events_; ++event) edges.push_back({knot_of_[event], event});
    return edges;
  }

  /// An event is not free yet, but may wait for less than before.
  void one_less(std::uint32_t event) {
    offer(event);
    if (links_left_[event] == 0 || progress_.waiting_for[event] != links_left_[event]) return;
    path_.push_back(event);
    while (!path_.empty()) {
      const std::uint32_t at = path_.back();
      path_.pop_back();
      for (const std::uint32_t before : linked_from_.successors(at)) {
        if (progress_.done[before] || waited_for_[before] || crosses(before, at)) continue;
        waited_for_[before] = true;
        offer(before);
        path_.push_back(before);
      }
    }
  }

  void offer(std::uint32_t event) {
    if (progress_.done[event] || !waited_for_[event] || links_left_[event] > 0) return;
    if (outside_[knot_of_[event]] == 0) offers_.push(event);
  }

  const Digraph& graph_;
  const std::uint32_t events_;
  const Progress& progress_;
  std::vector<std::uint32_t> knot_of_;
  Nodes links_left_;                    // by event: links to it whose source is not done
  std::vector<bool> waited_for_;        // by event: one of its knot that is linked from it misses nothing but links
  std::vector<std::uint32_t> outside_;  // by knot: edges into it from nodes outside that are not done
  Digraph linked_from_;
  Digraph members_;  // from knots to their events
  Nodes path_;
  SmallestFirst offers_;
};

/// Topological sorting (Kahn 1962) that always takes the smallest event that is free.
class Ordering {
 public:
  Ordering(const Digraph& graph, std::uint32_t events) : graph_(graph), events_(events) {
    progress_.waiting_for.resize(graph_.nodes());
    progress_.done.resize(graph_.nodes());
    for (std::uint32_t node = 0; node < graph_.nodes(); ++node) {
      for (const std::uint32_t next : graph_.successors(node)) ++progress_.waiting_for[next];
    }
  }

  Nodes run() && {
    order_.reserve(graph_.nodes());
    start();
    for (std::uint32_t left = events_; left > 0; --left) {
      if (free_.empty()) {
        if (!contradictions_) contradictions_.emplace(graph_, events_, progress_);
        place(contradictions_->release());
      } else {
        const std::uint32_t event = free_.top();
        free_.pop();
        place(event);
      }
    }
    return std::move(order_);
  }

 private:
  bool is_event(std::uint32_t node) const { return node < events_; }

  void start() {
    Nodes sources;
    for (std::uint32_t node = 0; node < graph_.nodes(); ++node) {
      if (progress_.waiting_for[node] == 0) sources.push_back(node);
    }
    for (const std::uint32_t node : sources) freed(node);
    finish_all();
  }

  void place(std::uint32_t node) {
    order_.push_back(node);
    finished_.push_back(node);
    progress_.done[node] = true;
    if (is_event(node)) finish_all();
  }

  /// A node has nothing left to wait for. What is not an event is done by that.
  void freed(std::uint32_t node) {
    if (progress_.done[node]) return;  // was released against its clock
    if (is_event(node)) {
      free_.push(node);
    } else {
      place(node);
    }
  }

  void finish_all() {
    while (!finished_.empty()) {
      const std::uint32_t node = finished_.back();
      finished_.pop_back();
      for (const std::uint32_t next : graph_.successors(node)) {
        if (--progress_.waiting_for[next] == 0) freed(next);
        if (contradictions_) contradictions_->passed(node, next);
      }
    }
  }

  const Digraph& graph_;
  const std::uint32_t events_;
  Progress progress_;
  Nodes finished_;  // done, but their successors still have to learn it
  SmallestFirst free_;
  std::optional<Contradictions> contradictions_;
  Nodes order_;
};

}  // namespace

ConstraintOrder order_by_constraints(std::uint32_t events, std::span<const Edge> links, NumberedClocks clocks) {
  ConstraintOrder order;
  order.events = events;
  clocks.finish();
  order.clocks = clock_precedence(std::move(clocks));
  const Digraph graph = find_constraints(order, links);
  order.nodes = Ordering(graph, events).run();
  return order;
}

}  // namespace raceway::causality
