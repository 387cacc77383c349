#include "analysis/trace_view.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "causality/causal_order.hpp"
#include "storage/keyed_hash.hpp"
#include "wire/links.hpp"
#include "wire/writer.hpp"

namespace raceway::server::analysis {
namespace {

// What a std::string holds without the heap.
constexpr std::size_t longest_short_string = 15;

}  // namespace

std::vector<std::uint32_t> causal_order(storage::TraceEvents& events, storage::ByteBudget& budget) {
  // Ids are told apart by 64 bits of a keyed hash: of a million, two are taken for one in one trace of some 30 million.
  static const auto hash_key = storage::HashKey::random();
  const auto key = [](std::string_view id) -> causality::TraceOrder::Key {
    return id.empty() ? 0 : std::max<std::uint64_t>(1, storage::sip_hash(hash_key, id));
  };
  auto hold = budget.hold();
  hold.grow(events.count() * causality::TraceOrder::ordering_an_event);
  const std::size_t paid = hold.bytes();
  causality::TraceOrder order(events.count());
  events.each([&](const wire::Row& row) {
    const auto links = wire::read_links(row);
    order.add(key(row.event_id), key(links.parent_id), row.timestamp, links.timestamp_nanos, links.clock);
    if (order.bytes() > hold.bytes() - paid) hold.grow(order.bytes() - (hold.bytes() - paid));
    return true;
  });
  return std::move(order).order([&](std::span<const std::uint32_t> places) {
    std::vector<std::string> ids;
    hold.grow(places.size() * (sizeof(std::string) + sizeof(std::uint32_t)));
    events.each_of(places, [&](const wire::Row& row) {
      if (row.event_id.size() > longest_short_string) hold.grow(row.event_id.size());
      ids.emplace_back(row.event_id);
      return true;
    });
    return ids;
  });
}

std::string trace_begin(std::string_view trace_id) {
  std::string json = R"({"trace_id":)";
  wire::append_json_string(json, trace_id);
  return json + R"(,"events":[)";
}

std::string_view trace_end() {
  return R"(],"audit_trails":{},"analysis":{"concurrent_events":0,"potential_races":0,"anomalies":[],"race_details":[]},)"
         R"("critical_path":null,"anomalies":[],"dependencies":null})";
}

}  // namespace raceway::server::analysis
