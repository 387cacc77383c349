#include "causality/calls.hpp"

#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace raceway::causality {

std::string_view name_of(CallKind kind) {
  constexpr std::array<std::string_view, 3> names = {"HttpCall", "DatabaseQuery", "Custom"};
  return names[static_cast<std::size_t>(kind)];
}

namespace {

CallKind kind_of(Kind first) {
  if (first == Kind::http_request || first == Kind::http_response) return CallKind::http;
  return first == Kind::database_query ? CallKind::database : CallKind::custom;
}

}  // namespace

std::vector<Calls> find_calls(const HappenedBefore& happened) {
  const EventTable& events = happened.events();
  const Names& names = events.names();
  std::map<std::tuple<std::string_view, std::string_view, CallKind>, Calls> found;
  const auto count = [&](std::uint32_t from, std::uint32_t to, CallKind kind) {
    auto& calls = found[{names[from], names[to], kind}];
    calls = {from, to, kind, calls.count + 1};
  };
  std::set<std::uint32_t> seen;
  std::set<std::pair<std::uint32_t, std::uint32_t>> called;  // spans: caller, callee
  for (const std::uint32_t event : happened.order()) {
    const std::uint32_t span = events.origin(event).span;
    if (span == 0 || !seen.insert(span).second) continue;
    const std::uint32_t upstream = happened.spans().upstream(span);
    if (upstream == 0 || upstream == span) continue;
    const std::uint32_t caller = happened.spans().first(upstream);
    if (caller != none && happened.spot(caller).line == happened.spot(event).line) continue;
    called.insert({upstream, span});
    count(caller == none ? 0 : events.origin(caller).service, events.origin(event).service,
          kind_of(events[event].kind));
  }
  for (const std::uint32_t event : happened.order()) {
    const std::uint32_t parent = happened.parents()[event];
    if (parent == none || events.origin(parent).service == events.origin(event).service) continue;
    if (called.contains({events.origin(parent).span, events.origin(event).span})) continue;
    count(events.origin(parent).service, events.origin(event).service, kind_of(events[event].kind));
  }
  std::vector<Calls> calls;
  for (const auto& [key, each] : found) calls.push_back(each);
  return calls;
}

}  // namespace raceway::causality
