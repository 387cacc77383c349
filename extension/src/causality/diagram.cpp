#include "causality/diagram.hpp"

#include <algorithm>

#include "causality/reduction.hpp"

namespace raceway::causality {
namespace {

/// By the edges that the order is the closure of; those through the nodes of clocks are no longer for that.
std::vector<std::uint32_t> columns_of(const HappenedBefore& happened, std::uint32_t events) {
  const auto& constraints = happened.constraints();
  std::vector<std::uint32_t> next(constraints.count());  // by node: the column of an event right behind it
  std::vector<std::uint32_t> columns;
  columns.reserve(events);
  for (const std::uint32_t node : constraints.nodes) {
    if (columns.size() == events) break;
    std::uint32_t column = 0;
    for (const std::uint32_t before : happened.incoming().successors(node)) column = std::max(column, next[before]);
    if (constraints.is_event(node)) {
      const Spot spot = happened.spot(node);
      if (spot.position > 1) column = std::max(column, next[happened.at({spot.line, spot.position - 1})]);
      columns.push_back(column);
    }
    next[node] = constraints.is_event(node) ? column + 1 : column;
  }
  return columns;
}

}  // namespace

Diagram draw(const HappenedBefore& happened, std::uint32_t most) {
  const std::uint32_t events = std::min(most, happened.events().size());
  Diagram diagram;
  diagram.column = columns_of(happened, events);
  Reduction reduction(happened, events);
  reduction.put_into_lanes(diagram);
  reduction.find_causes(diagram);
  return diagram;
}

}  // namespace raceway::causality
