#include "causality/happened_before.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "causality/chain_ends.hpp"
#include "causality/effective_clocks.hpp"
#include "causality/request_clocks.hpp"

namespace raceway::causality {
namespace {

std::vector<std::uint32_t> places_of(std::span<const std::uint32_t> order) {
  std::vector<std::uint32_t> places(order.size());
  for (std::uint32_t place = 0; place < order.size(); ++place) places[order[place]] = place;
  return places;
}

/// The events by parents and time alone.
std::vector<std::uint32_t> order_by_parents(std::span<const std::uint32_t> parents) {
  std::vector<Edge> links;
  bool as_they_stand = true;
  for (std::uint32_t event = 0; event < parents.size(); ++event) {
    if (parents[event] == none) continue;
    links.push_back({parents[event], event});
    as_they_stand &= parents[event] < event;
  }
  const auto count = static_cast<std::uint32_t>(parents.size());
  if (!as_they_stand) {
    NumberedClocks no_clocks;
    for (std::uint32_t event = 0; event < count; ++event) no_clocks.add({});
    return order_by_constraints(count, links, std::move(no_clocks)).nodes;
  }
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

std::vector<std::uint32_t> parents_of(const EventTable& events, HappenedBefore::Warnings& warnings) {
  auto parents = events.parents();
  for (std::uint32_t event = 0; event < events.size(); ++event) {
    warnings.missing_parents += events[event].parent_id != 0 && parents[event] == none ? 1 : 0;
  }
  warnings.parent_cycles = cut_cycles(parents);
  return parents;
}

void append(std::vector<CausalEdge>& edges, const std::vector<CausalEdge>& more) {
  edges.insert(edges.end(), more.begin(), more.end());
}

}  // namespace

std::uint32_t Step::heard_of(std::uint32_t line) const {
  if (line == spot.line) return spot.position;
  const auto at = std::ranges::lower_bound(heard, line, {}, &Heard::line);
  return at != heard.end() && at->line == line ? at->position : 0;
}

std::vector<Heard> Step::clock() const {
  std::vector<Heard> clock;
  clock.reserve(heard.size() + 1);
  for (const Heard& each : heard) {
    if (each.line != spot.line) clock.push_back(each);
  }
  clock.insert(std::ranges::lower_bound(clock, spot.line, {}, &Heard::line), {spot.line, spot.position});
  return clock;
}

HappenedBefore::HappenedBefore(const EventTable& events, Allowed allowed)
    : events_(events),
      allowed_(std::move(allowed)),
      strands_(events),
      parents_(parents_of(events, warnings_)),
      base_order_(order_by_parents(parents_)),
      spans_(events, base_order_) {
  allowed_.go_on();
  order_events();
  allowed_.go_on();
  find_lines();
}

/// Edges of one trust after the other: of each those give way that lie on a circle with those before.
std::vector<Edge> HappenedBefore::links_without_circles() {
  const auto base_place = places_of(base_order_);
  std::vector<Edge> links;
  bool forward = true;
  for (std::size_t from = 0; from < edges_.size();) {
    const auto trust = [](Reason reason) { return reason == Reason::await ? Reason::spawn : reason; };
    std::size_t to = from;
    const std::size_t before = links.size();
    for (; to < edges_.size() && trust(edges_[to].reason) == trust(edges_[from].reason); ++to) {
      links.push_back({edges_[to].from, edges_[to].to});
      forward &= base_place[edges_[to].from] < base_place[edges_[to].to];
    }
    if (!forward) {
      const auto knots = strongly_connected(Digraph(events_.size(), links));
      const auto in_a_circle = [&](const Edge& edge) { return knots[edge.from] == knots[edge.to]; };
      links.erase(std::remove_if(links.begin() + static_cast<std::ptrdiff_t>(before), links.end(), in_a_circle),
                  links.end());
    }
    from = to;
  }
  return links;
}

void HappenedBefore::order_events() {
  for (std::uint32_t event = 0; event < events_.size(); ++event) {
    if (parents_[event] != none) edges_.push_back({parents_[event], event, Reason::parent});
  }
  append(edges_, task_edges(events_, strands_, StrandEnds(strands_, base_order_), parents_, base_order_));
  append(edges_, spans_.edges(events_, strands_, base_order_));
  for (const auto& [from, to] : events_.links()) edges_.push_back({from, to, Reason::link});
  RequestClocks request_clocks(events_, strands_, spans_, base_order_);
  append(edges_, request_clocks.edges());

  NumberedClocks plain;
  std::vector<Component> clock;
  for (std::uint32_t event = 0; event < events_.size(); ++event) {
    clock.clear();
    if (!request_clocks.has(event)) {
      for (const auto& entry : events_.clock(event))
        clock.push_back({events_.names()[entry.component], entry.counter()});
    }
    plain.add(clock);
  }
  constraints_ = order_by_constraints(events_.size(), links_without_circles(), std::move(plain));
  for (const std::uint32_t node : constraints_.nodes) {
    if (constraints_.is_event(node)) order_.push_back(node);
  }
  place_ = places_of(order_);
  const auto node_place = places_of(constraints_.nodes);
  find_incoming(node_place);
  count_warnings(node_place);
}

void HappenedBefore::find_incoming(std::span<const std::uint32_t> node_place) {
  std::vector<Edge> backwards;
  backwards.reserve(edges_.size() + 2 * std::size_t{constraints_.clocks.classes});
  const auto keep = [&](std::uint32_t from, std::uint32_t to) {
    if (node_place[from] < node_place[to]) backwards.push_back({to, from});
  };
  for (const CausalEdge& edge : edges_) keep(edge.from, edge.to);
  constraints_.each_clock_edge(keep);
  add_despite_contradictions(node_place, backwards);
  incoming_ = Digraph(constraints_.count(), backwards);
}

/// An event that had to go before its clock allowed it has still heard of all that stands before it and that its clock
/// follows: the nodes of classes that were passed, and of the others their events that were.
void HappenedBefore::add_despite_contradictions(std::span<const std::uint32_t> node_place,
                                                std::vector<Edge>& backwards) const {
  // Without a bound, contradictions everywhere could ask for the square of the classes.
  std::size_t steps_left = std::size_t{64} * (events_.size() + 1024);
  std::optional<Digraph> before;  // of the nodes of classes, backwards
  std::vector<std::uint32_t> looked_at_for(constraints_.count(), none);
  std::vector<std::uint32_t> stack;
  for (const std::uint32_t event : order_) {
    const std::uint32_t clock_class = constraints_.clocks.class_of[event];
    if (clock_class == ClockPrecedence::no_class) continue;
    if (node_place[constraints_.opens(clock_class)] < node_place[event]) continue;
    if (!before) before = class_nodes_backwards();
    stack.assign(1, constraints_.opens(clock_class));
    while (!stack.empty() && steps_left > 0) {
      const std::uint32_t node = stack.back();
      stack.pop_back();
      for (const std::uint32_t other : before->successors(node)) {
        --steps_left;
        if (other == event || std::exchange(looked_at_for[other], event) == event) continue;
        if (node_place[other] < node_place[event]) {
          backwards.push_back({event, other});
        } else if (!constraints_.is_event(other)) {
          stack.push_back(other);
        }
        if (steps_left == 0) break;
      }
    }
  }
}

/// From the nodes of classes to those before them.
Digraph HappenedBefore::class_nodes_backwards() const {
  std::vector<Edge> edges;
  constraints_.each_clock_edge([&](std::uint32_t from, std::uint32_t to) {
    if (!constraints_.is_event(to)) edges.push_back({to, from});
  });
  return {constraints_.count(), edges};
}

void HappenedBefore::count_warnings(std::span<const std::uint32_t> node_place) {
  for (const CausalEdge& edge : edges_) {
    if (!kept(edge)) {
      ++warnings_.contradicted_edges;
    } else if (events_[edge.from].timestamp > events_[edge.to].timestamp) {
      ++warnings_.time_inversions;
    }
  }
  for (std::uint32_t event = 0; event < events_.size(); ++event) {
    const std::uint32_t clock_class = constraints_.clocks.class_of[event];
    if (clock_class == ClockPrecedence::no_class) continue;
    if (node_place[constraints_.opens(clock_class)] > node_place[event]) ++warnings_.contradicted_edges;
  }
}

/// An event without a strand goes on a chain that ends with one that happened before it, if there is one.
void HappenedBefore::find_lines() {
  std::vector<std::uint32_t> last(strands_.size(), none);           // by strand, so far
  std::vector<std::uint32_t> previous(constraints_.count(), none);  // by event, in its strand
  ChainEnds ends(incoming_, previous);
  std::vector<std::uint32_t> length(strands_.size());
  spots_.resize(events_.size());
  for (const std::uint32_t event : order_) {
    std::uint32_t line = strands_.of(event);
    if (line != none) {
      previous[event] = std::exchange(last[line], event);
    } else {
      const std::uint32_t end = ends.take_before(event);
      line = end == none ? static_cast<std::uint32_t>(length.size()) : spots_[end].line;
      if (end == none) length.push_back(0);
      ends.add(event);
    }
    spots_[event] = {line, ++length[line]};
  }
  line_begin_.assign(1, 0);
  for (const std::uint32_t count : length) line_begin_.push_back(line_begin_.back() + count);
  line_events_.resize(events_.size());
  for (std::uint32_t event = 0; event < events_.size(); ++event)
    line_events_[line_begin_[spots_[event].line] + spots_[event].position - 1] = event;
}

void HappenedBefore::each_edge(const std::function<bool(const CausalEdge&, bool kept)>& visit) const {
  for (const CausalEdge& edge : edges_) {
    if (!visit(edge, kept(edge))) return;
  }
  for (std::uint32_t strand = 0; strand < strands_.size(); ++strand) {
    const auto members = line(strand);
    for (std::size_t i = 1; i < members.size(); ++i) {
      if (!visit({members[i - 1], members[i], Reason::program}, true)) return;
    }
  }
  std::vector<Edge> of_class;
  for (std::uint32_t event = 0; event < events_.size(); ++event) {
    const std::uint32_t clock_class = constraints_.clocks.class_of[event];
    if (clock_class != ClockPrecedence::no_class) of_class.push_back({clock_class, event});
  }
  const Digraph members(std::max(constraints_.count(), 1U), of_class);
  for (const Edge& edge : constraints_.clocks.edges) {
    for (const std::uint32_t from : members.successors(edge.from)) {
      for (const std::uint32_t to : members.successors(edge.to)) {
        const CausalEdge clock_edge = {from, to, Reason::clock};
        if (!visit(clock_edge, kept(clock_edge))) return;
      }
    }
  }
}

void HappenedBefore::walk(const std::function<bool(const Step&)>& visit) const {
  EffectiveClocks clocks(constraints_, incoming_, spots_, lines(), allowed_);
  for (const std::uint32_t node : constraints_.nodes) {
    const auto heard = clocks.pass(node);
    if (!constraints_.is_event(node)) continue;
    if (!visit({node, spots_[node], heard.clock, heard.version})) return;
  }
}

Order HappenedBefore::compare(std::uint32_t a, std::uint32_t b) const {
  if (a == b) return Order::equal;
  const bool in_order = place_[a] < place_[b];
  const Spot earlier = spots_[in_order ? a : b];
  const std::uint32_t later = in_order ? b : a;
  bool follows = false;
  walk([&](const Step& step) {
    if (step.event != later) return true;
    follows = step.follows(earlier);
    return false;
  });
  if (!follows) return Order::concurrent;
  return in_order ? Order::before : Order::after;
}

}  // namespace raceway::causality
