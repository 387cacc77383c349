#include "causality/request_clocks.hpp"

#include <algorithm>
#include <string>

namespace raceway::causality {
namespace {

// How far upstream a component is looked for, and how many threads of one request a number may mean. Real chains of
// calls have some ten; without a bound a hostile trace could ask for the square of its spans.
constexpr int most_hops = 256;
constexpr std::size_t most_meant = 64;

}  // namespace

RequestClocks::RequestClocks(const EventTable& events, const Strands& strands, const Spans& spans,
                             std::span<const std::uint32_t> order)
    : events_(events),
      strands_(strands),
      spans_(spans),
      order_(order),
      own_component_(events.origins().size()),
      is_component_(events.names().size()),
      request_of_(events.size(), none) {
  const Names& names = events.names();
  for (std::size_t number = 0; number < own_component_.size(); ++number) {
    const auto& origin = events.origins()[number];
    if (origin.instance == 0 || (origin.thread == 0 && origin.span == 0)) continue;
    // What no clock names is no text of the trace, but for an odd chance, and of no use.
    own_component_[number] = names.find(std::string(names[origin.service]) + '#' + std::string(names[origin.instance]));
    if (own_component_[number] != 0) is_component_[own_component_[number]] = true;
  }
  find_requests();
}

bool RequestClocks::has(std::uint32_t event) const {
  return std::ranges::any_of(events_.clock(event), [&](const auto& entry) { return is_component_[entry.component]; });
}

void RequestClocks::find_requests() {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> numbers;
  for (const std::uint32_t event : order_) {
    const auto& fact = events_[event];
    const std::uint32_t component = own_component_[fact.origin];
    if (component == 0) continue;
    const auto& origin = events_.origin(event);
    const auto [at, is_new] =
        numbers.try_emplace({strands_.of(event), origin.span}, static_cast<std::uint32_t>(requests_.size()));
    if (is_new) {
      requests_.push_back({strands_.of(event), origin.span, component, event});
      if (origin.span != 0) in_span_[{origin.span, component}].push_back(at->second);
      of_component_[component].push_back(at->second);
    }
    request_of_[event] = at->second;
    Request& request = requests_[at->second];
    for (const auto& entry : events_.clock(event)) {
      if (entry.component != component) continue;
      request.numbered = true;
      request.events.emplace_back(entry.counter(), event);
    }
  }
  // Of equal numbers the last one in the order stands last.
  for (Request& request : requests_)
    std::ranges::stable_sort(request.events, {}, &std::pair<Counter, std::uint32_t>::first);
}

const std::vector<std::uint32_t>& RequestClocks::meant_upstream(std::uint32_t span, std::uint32_t component) {
  std::vector<std::uint32_t> walked;
  const std::vector<std::uint32_t>* found = &no_requests_;
  std::uint32_t at = span;
  for (int hops = 0; hops < most_hops && at != 0; ++hops) {
    if (const auto known = upstream_.find({at, component}); known != upstream_.end()) {
      found = known->second;
      break;
    }
    walked.push_back(at);
    const std::uint32_t above = spans_.upstream(at);
    if (above == span) break;
    if (const auto there = in_span_.find({above, component}); above != 0 && there != in_span_.end()) {
      found = &there->second;
      break;
    }
    at = above;
  }
  for (const std::uint32_t passed : walked) upstream_[{passed, component}] = found;
  return *found;
}

const std::vector<std::uint32_t>& RequestClocks::meant(std::uint32_t span, std::uint32_t component,
                                                       std::uint32_t strand) {
  if (span != 0) return meant_upstream(span, component);
  const auto found = of_component_.find(component);
  if (found == of_component_.end()) return no_requests_;
  single_.clear();
  for (const std::uint32_t request : found->second) {
    if (requests_[request].strand == strand) continue;
    if (!single_.empty()) return no_requests_;
    single_.push_back(request);
  }
  return single_;
}

void RequestClocks::collect_references() {
  struct Hash {
    std::size_t operator()(std::uint64_t key) const { return key * 0x9e3779b97f4a7c15U; }
  };
  // What each request has of each component: the same number again tells nothing new.
  std::unordered_map<std::uint64_t, Counter, Hash> heard;
  for (const std::uint32_t event : order_) {
    const auto& origin = events_.origin(event);
    const std::uint32_t own = own_component_[events_[event].origin];
    const std::uint32_t strand = strands_.of(event);
    for (const auto& entry : events_.clock(event)) {
      if (!is_component_[entry.component] || entry.component == own) continue;
      if (request_of_[event] != none) {
        Counter& before = heard[(std::uint64_t{request_of_[event]} << 32U) | entry.component];
        if (entry.counter() == before) continue;
        before = entry.counter();
      }
      const auto& requests = meant(origin.span, entry.component, strand);
      for (std::size_t i = 0; i < std::min(requests.size(), most_meant); ++i) {
        if (requests_[requests[i]].strand == strand) continue;
        references_.push_back({event, requests[i], entry.counter()});
        if (!requests_[requests[i]].numbered) requests_[requests[i]].received.push_back(entry.counter());
      }
    }
  }
}

void RequestClocks::number_by_position() {
  for (Request& request : requests_) std::ranges::sort(request.received);
  std::vector<Counter> next(requests_.size(), 1);
  std::vector<std::size_t> passed(requests_.size());
  for (const std::uint32_t event : order_) {
    const std::uint32_t number = request_of_[event];
    if (number == none || requests_[number].numbered || requests_[number].received.empty()) continue;
    Request& request = requests_[number];
    std::size_t& at = passed[number];
    while (at < request.received.size() && request.received[at] <= next[number]) {
      if (request.received[at] == next[number]) ++next[number];
      ++at;
    }
    request.events.emplace_back(next[number]++, event);
  }
}

void RequestClocks::add_own_edges(std::vector<CausalEdge>& edges) {
  for (const Request& request : requests_) {
    if (!request.numbered) continue;
    for (std::size_t i = 1; i < request.events.size(); ++i) {
      const auto& [before, now] = std::pair(request.events[i - 1], request.events[i]);
      if (before.first < now.first) edges.push_back({before.second, now.second, Reason::clock});
    }
    if (request.span == 0) continue;
    for (const std::uint32_t outer : meant_upstream(request.span, request.component)) {
      if (&requests_[outer] == &request || requests_[outer].span == request.span) continue;
      references_.push_back({request.first, outer, request.events.front().first - 1});
    }
  }
}

std::vector<CausalEdge> RequestClocks::edges() {
  std::vector<CausalEdge> edges;
  collect_references();
  number_by_position();
  add_own_edges(edges);
  for (const Reference& reference : references_) {
    const auto& counted = requests_[reference.request].events;
    const auto behind =
        std::ranges::upper_bound(counted, reference.counter, {}, &std::pair<Counter, std::uint32_t>::first);
    if (behind == counted.begin()) continue;
    const std::uint32_t last = std::prev(behind)->second;
    if (last != reference.event) edges.push_back({last, reference.event, Reason::clock});
  }
  return edges;
}

}  // namespace raceway::causality
