#include "causality/causal_edges.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace raceway::causality {

std::size_t cut_cycles(std::vector<std::uint32_t>& parents) {
  std::size_t cycles = 0;
  std::vector<std::uint32_t> walk_of(parents.size(), none);
  for (std::uint32_t first = 0; first < parents.size(); ++first) {
    std::uint32_t at = first;
    while (at != none && walk_of[at] == none) {
      walk_of[at] = first;
      at = parents[at];
    }
    if (at == none || walk_of[at] != first) continue;
    std::uint32_t earliest = at;
    for (auto other = parents[at]; other != at; other = parents[other]) earliest = std::min(earliest, other);
    parents[earliest] = none;
    ++cycles;
  }
  return cycles;
}

StrandEnds::StrandEnds(const Strands& strands, std::span<const std::uint32_t> order)
    : first(strands.size(), none), last(strands.size(), none) {
  for (const std::uint32_t event : order) {
    const std::uint32_t strand = strands.of(event);
    if (strand == none) continue;
    if (first[strand] == none) first[strand] = event;
    last[strand] = event;
  }
}

std::vector<CausalEdge> task_edges(const EventTable& events, const Strands& strands, const StrandEnds& ends,
                                   std::span<const std::uint32_t> parents, std::span<const std::uint32_t> order) {
  using Task = std::pair<ProcessName, std::uint32_t>;
  std::vector<CausalEdge> edges;
  std::map<Task, std::uint32_t> spawn_of;
  for (const std::uint32_t event : order) {
    if (events[event].kind != Kind::async_spawn || events[event].subject == 0) continue;
    spawn_of.try_emplace({ProcessName::of(events.origin(event)), events[event].subject}, event);
  }
  std::map<Task, std::vector<std::uint32_t>> strands_of;  // of each task that is spawned, or is a thread
  for (std::uint32_t strand = 0; strand < strands.size(); ++strand) {
    const auto process = ProcessName::of(strands.origin(strand));
    const std::uint32_t thread = strands.origin(strand).thread;
    const std::uint32_t parent = parents[ends.first[strand]];
    if (thread != 0) {
      strands_of[{process, thread}].push_back(strand);
      const auto spawn = spawn_of.find({process, thread});
      if (spawn != spawn_of.end() && strands.of(spawn->second) != strand)
        edges.push_back({spawn->second, ends.first[strand], Reason::spawn});
    }
    if (parent == none || events[parent].kind != Kind::async_spawn || strands.of(parent) == strand) continue;
    const Task task = {ProcessName::of(events.origin(parent)), events[parent].subject};
    if (task.second != thread || task.first != process) strands_of[task].push_back(strand);
  }
  std::set<std::pair<std::uint32_t, Task>> awaited;  // by strand: what it waits for again it has waited for already
  for (const std::uint32_t event : order) {
    if (events[event].kind != Kind::async_await || events[event].subject == 0) continue;
    const Task task = {ProcessName::of(events.origin(event)), events[event].subject};
    const auto found = strands_of.find(task);
    const std::uint32_t own = strands.of(event);
    if (found == strands_of.end() || (own != none && !awaited.insert({own, task}).second)) continue;
    for (const std::uint32_t strand : found->second) {
      if (strand != own) edges.push_back({ends.last[strand], event, Reason::await});
    }
  }
  return edges;
}

Spans::Spans(const EventTable& events, std::span<const std::uint32_t> order)
    : first_(events.names().size(), none), upstream_(events.names().size()) {
  for (const std::uint32_t event : order) {
    const auto& origin = events.origin(event);
    if (origin.span == 0) continue;
    if (first_[origin.span] == none) first_[origin.span] = event;
    if (upstream_[origin.span] == 0) upstream_[origin.span] = origin.upstream_span;
  }
}

std::vector<CausalEdge> Spans::edges(const EventTable& events, const Strands& strands,
                                     std::span<const std::uint32_t> order) const {
  std::vector<CausalEdge> edges;
  std::vector<bool> seen(events.origins().size());
  std::set<std::pair<std::uint32_t, std::uint32_t>> begun;  // spans in strands
  for (const std::uint32_t event : order) {
    if (seen[events[event].origin]) continue;
    seen[events[event].origin] = true;
    const std::uint32_t span = events.origin(event).span;
    const std::uint32_t above = span == 0 ? 0 : upstream_[span];
    if (above == 0 || above == span || first_[above] == none) continue;
    if (begun.insert({span, strands.of(event)}).second) edges.push_back({first_[above], event, Reason::span});
  }
  return edges;
}

}  // namespace raceway::causality
