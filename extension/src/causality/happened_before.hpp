// Happened-before in one trace: which event had to come before which, for any data, however contradictory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "causality/causal_edges.hpp"
#include "causality/constraint_order.hpp"
#include "causality/digraph.hpp"
#include "causality/event_table.hpp"
#include "causality/order.hpp"
#include "causality/strands.hpp"

namespace raceway::causality {

/// What an analysis may take: it is told what it takes now and then, and may throw to end it.
struct Allowed {
  std::function<void(std::size_t bytes)> memory = [](std::size_t) {};  ///< of the walk: all it takes now
  /// Likewise of what is worked out while it walks, beside it.
  std::function<void(std::size_t bytes)> memory_beside = [](std::size_t) {};
  std::function<void()> go_on = [] {};
};

/// Of a line the events up to a position.
struct Heard {
  std::uint32_t line = 0;
  std::uint32_t position = 0;  ///< from 1
};

/// Where an event is: a line is a strand, or a chain of events that have none, of which each happened before the next.
/// So of two events of one line the one with the smaller position happened before the other.
struct Spot {
  std::uint32_t line = none;
  std::uint32_t position = 0;
};

/// An event of a walk. `heard` is its effective clock: by rising line, what of it happened before the event; an entry
/// of its own line, if there is one, says nothing. `version` is the same where `heard` is the same as at the event
/// before in its line.
struct Step {
  std::uint32_t event;
  Spot spot;
  std::span<const Heard> heard;
  std::uint32_t version;

  /// How much of a line happened before the event, or is it.
  std::uint32_t heard_of(std::uint32_t line) const;
  /// All that it has heard of, its own line up to itself included.
  std::vector<Heard> clock() const;
  bool follows(Spot other) const { return heard_of(other.line) >= other.position; }
};

/// The edges of a trace that agree with one linear order, and their closure. Events are ranks of the table. The order
/// takes all edges but those of program order, with the smallest (timestamp, nanos, id) first, and where they run in a
/// circle the weaker ones give way (parent before spawn and await before span before request clocks before plain
/// clocks); strands are then in program order as they stand in it. An edge that goes backwards in it is contradicted.
/// Depends on the set of events only. Never recursive. Takes O(n log n + edges + what the clocks hold).
class HappenedBefore {
 public:
  /// What of the heap this takes, with lock sets, beside the table: an estimate for traces of the usual kind.
  static constexpr std::size_t bytes_an_event = 150;
  static constexpr std::size_t bytes_a_clock = 200;
  static constexpr std::size_t bytes_a_counter = 24;

  /// The table is referred to, and finished.
  explicit HappenedBefore(const EventTable& events, Allowed allowed = {});

  const EventTable& events() const { return events_; }
  const Strands& strands() const { return strands_; }
  /// The events in the linear order, and the place of each in it.
  std::span<const std::uint32_t> order() const { return order_; }
  std::uint32_t place(std::uint32_t event) const { return place_[event]; }
  Spot spot(std::uint32_t event) const { return spots_[event]; }
  std::uint32_t lines() const { return static_cast<std::uint32_t>(line_begin_.size() - 1); }
  /// The event at a spot.
  std::uint32_t at(Spot spot) const { return line_events_[line_begin_[spot.line] + spot.position - 1]; }
  std::span<const std::uint32_t> line(std::uint32_t line) const {
    return {line_events_.data() + line_begin_[line], line_begin_[line + 1] - line_begin_[line]};
  }
  std::span<const std::uint32_t> parents() const { return parents_; }
  const Spans& spans() const { return spans_; }

  /// All edges but those of program order and of plain clocks, and whether one is kept.
  std::span<const CausalEdge> edges() const { return edges_; }
  bool kept(const CausalEdge& edge) const { return place_[edge.from] < place_[edge.to]; }
  /// Calls `visit` for each edge of each kind, those of plain clocks between neighbours only; ends where it answers
  /// false.
  void each_edge(const std::function<bool(const CausalEdge&, bool kept)>& visit) const;

  /// Kept edges backwards, but for those of program order, between the nodes of `constraints()`.
  const Digraph& incoming() const { return incoming_; }
  const ConstraintOrder& constraints() const { return constraints_; }

  /// Calls `visit` for each event in the linear order; ends where it answers false. Clocks that nobody needs any more
  /// are given back on the way: memory is that of the strands' latest.
  void walk(const std::function<bool(const Step&)>& visit) const;

  /// before, after, equal (one event), concurrent.
  Order compare(std::uint32_t a, std::uint32_t b) const;

  /// What contradicts itself, by kind; 0 where nothing does.
  struct Warnings {
    std::size_t contradicted_edges = 0;
    std::size_t parent_cycles = 0;
    std::size_t missing_parents = 0;  ///< parents that are no events of the trace
    std::size_t time_inversions = 0;  ///< kept edges from a later time to an earlier one
  };
  const Warnings& warnings() const { return warnings_; }
  const Allowed& allowed() const { return allowed_; }

 private:
  void order_events();
  std::vector<Edge> links_without_circles();
  void find_incoming(std::span<const std::uint32_t> node_place);
  void add_despite_contradictions(std::span<const std::uint32_t> node_place, std::vector<Edge>& backwards) const;
  Digraph class_nodes_backwards() const;
  void find_lines();
  void count_warnings(std::span<const std::uint32_t> node_place);

  const EventTable& events_;
  Allowed allowed_;
  Strands strands_;
  Warnings warnings_;
  std::vector<std::uint32_t> parents_;
  std::vector<std::uint32_t> base_order_;  // by parents and time alone
  Spans spans_;
  std::vector<CausalEdge> edges_;  // by falling trust
  ConstraintOrder constraints_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> place_;
  Digraph incoming_;
  std::vector<Spot> spots_;
  std::vector<std::uint32_t> line_begin_;
  std::vector<std::uint32_t> line_events_;
};

}  // namespace raceway::causality
