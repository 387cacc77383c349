#include "causality/causal_order.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "causality/causal_edges.hpp"
#include "causality/clock_precedence.hpp"
#include "causality/constraint_order.hpp"
#include "causality/event_table.hpp"

namespace raceway::causality {
namespace {

/// The events in the order of their times; `ids` are theirs, sorted.
EventTable table_of(std::span<const TraceEvent> events, std::span<const std::string_view> ids) {
  const auto key = [&](std::string_view id) -> std::uint64_t {
    const auto at = std::ranges::lower_bound(ids, id);
    return at != ids.end() && *at == id ? static_cast<std::uint64_t>(at - ids.begin()) + 1 : 0;
  };
  EventTable table(events.size());
  for (const TraceEvent& event : events) {
    EventFacts facts;
    facts.id = key(event.id);
    facts.parent = event.parent_id.empty() ? 0 : key(event.parent_id);
    facts.timestamp = event.timestamp;
    facts.nanos = event.nanos;
    table.add(facts);
  }
  table.finish([&](std::span<const std::uint32_t> places) {
    std::vector<std::string> texts;
    for (const std::uint32_t place : places) texts.emplace_back(events[place].id);
    return texts;
  });
  return table;
}

}  // namespace

std::vector<std::uint32_t> causal_order(std::span<const TraceEvent> events) {
  std::vector<std::string_view> ids;
  ids.reserve(events.size());
  for (const TraceEvent& event : events) ids.push_back(event.id);
  std::ranges::sort(ids);
  const EventTable table = table_of(events, ids);
  auto parents = table.parents();
  cut_cycles(parents);
  std::vector<Edge> links;
  NumberedClocks clocks;
  for (std::uint32_t rank = 0; rank < table.size(); ++rank) {
    if (parents[rank] != none) links.push_back({parents[rank], rank});
    clocks.add(events[table[rank].place].clock);
  }
  std::vector<std::uint32_t> order;
  order.reserve(events.size());
  const auto ordered = order_by_constraints(table.size(), links, std::move(clocks));
  for (const std::uint32_t node : ordered.nodes) {
    if (ordered.is_event(node)) order.push_back(table[node].place);
  }
  return order;
}

}  // namespace raceway::causality
