#include "analysis/trace_analysis.hpp"

#include <algorithm>
#include <string>

#include "storage/keyed_hash.hpp"
#include "wire/event_facts.hpp"

namespace raceway::server::analysis {
namespace {

using causality::EventTable;
using causality::HappenedBefore;

/// Ids are told apart by 64 bits of a keyed hash: of a million, two are taken for one in one trace of some 30 million.
std::uint64_t key_of(std::string_view id) {
  static const auto hash_key = storage::HashKey::random();
  return id.empty() ? 0 : std::max<std::uint64_t>(1, storage::sip_hash(hash_key, id));
}

}  // namespace

TraceAnalysis::TraceAnalysis(storage::TraceEvents& events, storage::ByteBudget& budget, const SeeRow& see)
    : rows_(events), hold_(budget.hold()), walk_hold_(budget.hold()), beside_hold_(budget.hold()) {
  hold_.grow(events.count() * (HappenedBefore::bytes_an_event + sizeof(EventTable::Event)));
  read_rows(see);
  causality::Allowed allowed;
  allowed.memory = [this](std::size_t bytes) { walk_hold_.set(bytes); };
  allowed.memory_beside = [this](std::size_t bytes) { beside_hold_.set(bytes); };
  happened_.emplace(*table_, allowed);
}

void TraceAnalysis::read_rows(const SeeRow& see) {
  table_.emplace(rows_.count());
  std::size_t clocks = 0;
  std::size_t counters = 0;
  std::vector<std::uint64_t> links;
  const std::size_t begun_with = hold_.bytes();
  rows_.each([&](const wire::Row& row) {
    auto read = wire::read_facts(row);
    read.facts.id = key_of(row.event_id);
    read.facts.parent = key_of(read.parent_id);
    links.clear();
    for (const auto id : read.link_ids) links.push_back(key_of(id));
    read.facts.links = links;
    clocks += read.facts.clock.empty() ? 0 : 1;
    counters += read.facts.clock.size();
    table_->add(read.facts);
    if (see) see(row, read.metadata);
    const std::size_t texts_and_clocks =
        table_->bytes() - std::min(table_->bytes(), rows_.count() * sizeof(EventTable::Event));
    const std::size_t now = begun_with + texts_and_clocks + clocks * HappenedBefore::bytes_a_clock +
                            counters * HappenedBefore::bytes_a_counter;
    if (now > hold_.bytes()) hold_.grow(now - hold_.bytes());
    return true;
  });
  table_->finish([&](std::span<const std::uint32_t> places) {
    std::vector<std::string> ids;
    walk_hold_.set(places.size() * sizeof(std::string));
    rows_.each_of(places, [&](const wire::Row& row) {
      constexpr std::size_t longest_short_string = 15;  // without the heap
      if (row.event_id.size() > longest_short_string) walk_hold_.grow(row.event_id.size());
      ids.emplace_back(row.event_id);
      return true;
    });
    return ids;
  });
  walk_hold_.set(0);
}

const causality::LockSets& TraceAnalysis::locks() {
  if (!locks_) locks_.emplace(*happened_);
  return *locks_;
}

std::vector<std::uint32_t> TraceAnalysis::places() const {
  std::vector<std::uint32_t> places;
  places.reserve(table_->size());
  for (const std::uint32_t event : happened_->order()) places.push_back((*table_)[event].place);
  return places;
}

std::optional<std::uint32_t> TraceAnalysis::find(std::string_view event_id) {
  const std::uint64_t key = key_of(event_id);
  for (std::uint32_t event = 0; event < table_->size(); ++event) {
    if ((*table_)[event].id == key) return event;
  }
  return std::nullopt;
}

}  // namespace raceway::server::analysis
