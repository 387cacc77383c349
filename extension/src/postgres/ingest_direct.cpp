#include "postgres/ingest_direct.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <unordered_map>

#include "postgres/direct_table.hpp"
#include "postgres/ingest_rows.hpp"
#include "postgres/ingest_spi.hpp"
#include "postgres/row_contents.hpp"
#include "postgres/trace_rollup.hpp"

extern "C" {
#include "access/xact.h"
}

namespace raceway::postgres {
namespace {

using wire::Event;
using Events = std::span<const Event* const>;
using Outcomes = std::vector<StoreOutcome>;

/// A target that is open, with the rows of its events. After a raise, or where the batch is contested, the rollback
/// closes it.
struct OpenTarget {
  DirectTable* table;
  const std::vector<std::size_t>& places;
  std::unique_ptr<EventRows> made;
  KeySearch search;

  std::vector<DirectRow>& rows() const { return made->rows(); }
  /// Which of the batch's events the row is of.
  std::size_t place_of(const DirectRow* row) const { return places[static_cast<std::size_t>(row - rows().data())]; }
};

/// They stay where they are: searches refer to themselves.
std::vector<OpenTarget> open_targets(Events events, const std::vector<DirectTarget>& targets, Timestamp created_at) {
  std::vector<OpenTarget> open;
  for (const auto& target : targets) {
    std::vector<const Event*> own;
    for (const auto place : target.places) own.push_back(events[place]);
    DirectTable* const table = pg_call([&] { return open_direct_table(target.table); });
    open.push_back({table, target.places, std::make_unique<EventRows>(own, created_at), {}});
  }
  return open;
}

/// The trace that the event in the slot belongs to; empty where a user's row has none.
std::string trace_in(TupleTableSlot* slot) {
  const text* const packed = pg_call([slot] {
    bool is_null = false;
    const Datum value = slot_getattr(slot, EventColumn::trace_id + 1, &is_null);
    return is_null ? nullptr : DatumGetTextPP(value);
  });
  if (packed == nullptr) return {};
  return {VARDATA_ANY(packed), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(packed))};
}

/// What became of an event whose row is to be written, and of which there is one already, in the slot.
StoreOutcome stands_already(TupleTableSlot* slot, const Event& event, const DirectRow& row) {
  StoreOutcome outcome = {StoreOutcome::Kind::stands_already, trace_in(slot)};
  if (outcome.text == event.trace_id) outcome.other_contents = other_contents(slot, row);
  return outcome;
}

/// A row that is looked for.
struct Sought {
  OpenTarget* target;
  const DirectRow* row;
  std::size_t place;
};

Sought sought(OpenTarget& target, std::size_t at) {
  return {&target, &target.rows()[at], target.places[at]};
}

/// Looks for rows in the order of their identity, each in its table; `found` is told which one stands, in the table's
/// slot, and answers whether to go on.
template <class Found>
void look_for(Events events, std::vector<Sought> all, std::vector<OpenTarget>& targets, Found found) {
  std::sort(all.begin(), all.end(), [&](const Sought& a, const Sought& b) {
    return EventIdentity{true}.before(*events[a.place], *events[b.place]);
  });
  pg_call([&] {
    for (auto& target : targets) begin_search(&target.search, target.table);
  });
  for (const Sought& one : all) {
    check_for_interrupts();
    const DirectKey key = {{one.row->values[event_id], one.row->values[timestamp]}};
    const bool stands = pg_call([&] { return find_standing_row(&one.target->search, key); });
    if (stands && !found(one)) break;
  }
  pg_call([&] {
    for (auto& target : targets) end_search(&target.search);
  });
}

/// Judged by a few of each table.
bool looks_sent_before(Events events, std::vector<OpenTarget>& targets) {
  std::vector<Sought> probes;
  for (auto& target : targets) {
    const std::size_t size = target.places.size();
    const std::size_t count = std::min(size, std::clamp<std::size_t>(events.size() / 64, 4, 16));
    for (std::size_t at = 0; at < count; ++at) probes.push_back(sought(target, at * size / count));
  }
  bool is_any = false;
  look_for(events, std::move(probes), targets, [&](const Sought&) {
    is_any = true;
    return false;
  });
  return is_any;
}

void mark_standing(Events events, std::vector<OpenTarget>& targets, Outcomes& outcomes) {
  std::vector<Sought> all;
  for (auto& target : targets) {
    for (std::size_t at = 0; at < target.places.size(); ++at) all.push_back(sought(target, at));
  }
  look_for(events, std::move(all), targets, [&](const Sought& found) {
    outcomes[found.place] = stands_already(found.target->table->slot, *events[found.place], *found.row);
    return true;
  });
}

/// Adds the keys of rows that are in the heap; marks what is stored and what stands already. False where a key is
/// contested.
bool add_all_keys(Events events, const OpenTarget& target, std::vector<DirectRow*> rows, Outcomes& outcomes) {
  for (const DirectRow* row : rows) outcomes[target.place_of(row)].kind = StoreOutcome::Kind::stored;
  PendingKeys keys = pg_call([&] { return begin_keys(target.table, rows.data(), static_cast<int>(rows.size())); });
  while (true) {
    const RefusedKey refused = pg_call([&] { return add_keys(target.table, &keys); });
    if (refused.row == nullptr) return true;
    if (refused.outcome == KeyOutcome::contested) return false;
    const auto place = target.place_of(refused.row);
    outcomes[place] = stands_already(target.table->slot, *events[place], *refused.row);
  }
}

/// Writes those of the target's events that are not known to stand; marks what is stored and what stands already. False
/// where a key is contested.
bool store_in_table(Events events, const OpenTarget& target, Outcomes& outcomes) {
  const auto kind_of = [&](const DirectRow* row) { return outcomes[target.place_of(row)].kind; };
  std::vector<DirectRow*> rows;
  for (auto& row : target.rows()) {
    if (kind_of(&row) != StoreOutcome::Kind::stands_already) rows.push_back(&row);
  }
  const auto count = [&] { return static_cast<int>(rows.size()); };
  pg_call([&] { insert_into_heap(target.table, rows.data(), count()); });
  if (!add_all_keys(events, target, rows, outcomes)) return false;
  std::erase_if(rows, [&](const DirectRow* row) { return kind_of(row) != StoreOutcome::Kind::stored; });
  pg_call([&] { insert_other_keys(target.table, rows.data(), count()); });
  return true;
}

/// What the events of one trace add to it.
struct TraceOfBatch {
  const Event* earliest;
  Timestamp end_time;
  int32 event_count;
};

bool is_earlier(const Event& a, const Event& b) {
  return a.timestamp != b.timestamp ? a.timestamp < b.timestamp : a.event_id < b.event_id;
}

/// By trace id. Events of a trace mostly come one after the other.
std::vector<TraceOfBatch> traces_of(Events events, const Outcomes& outcomes) {
  std::vector<TraceOfBatch> traces;
  std::unordered_map<std::string_view, std::size_t> known;
  std::size_t at = 0;
  for (std::size_t place = 0; place < events.size(); ++place) {
    if (outcomes[place].kind != StoreOutcome::Kind::stored) continue;
    const Event* const event = events[place];
    if (traces.empty() || traces[at].earliest->trace_id != event->trace_id) {
      at = known.try_emplace(event->trace_id, traces.size()).first->second;
      if (at == traces.size()) traces.push_back({event, event->timestamp, 0});
    }
    TraceOfBatch& trace = traces[at];
    if (is_earlier(*event, *trace.earliest)) trace.earliest = event;
    trace.end_time = std::max(trace.end_time, event->timestamp);
    ++trace.event_count;
  }
  std::sort(traces.begin(), traces.end(),
            [](const TraceOfBatch& a, const TraceOfBatch& b) { return a.earliest->trace_id < b.earliest->trace_id; });
  return traces;
}

/// `texts` keeps what they refer to.
std::vector<TraceGrowth> growths_of(const std::vector<TraceOfBatch>& traces, VarlenaBlock& texts) {
  std::vector<TraceGrowth> growths;
  for (const auto& trace : traces) {
    const Event& earliest = *trace.earliest;
    TraceGrowth& growth = growths.emplace_back();
    growth.trace_id = texts.add_text(earliest.trace_id);
    growth.has_service = earliest.service_name.has_value();
    if (growth.has_service) growth.service_name = texts.add_text(*earliest.service_name);
    growth.start_time = earliest.timestamp;
    growth.end_time = trace.end_time;
    growth.event_count = trace.event_count;
  }
  // The block has its place now: offsets become addresses.
  for (auto& growth : growths) {
    growth.trace_id = texts.datum(growth.trace_id);
    if (growth.has_service) growth.service_name = texts.datum(growth.service_name);
  }
  return growths;
}

/// False where a trace is contested.
bool add_to_traces(const std::vector<TraceOfBatch>& traces, Oid relation, Timestamp created_at) {
  if (traces.empty()) return true;
  VarlenaBlock texts;
  auto growths = growths_of(traces, texts);
  const bool grown = pg_call([&] {
    DirectTable* table = open_direct_table(relation);
    const bool done = grow_traces(table, growths.data(), static_cast<int>(growths.size()), created_at);
    if (done) close_direct_table(table);
    return done;
  });
  if (!grown) return false;
  std::vector<std::string> look_again;
  for (std::size_t at = 0; at < traces.size(); ++at) {
    if (growths[at].is_tie) look_again.emplace_back(traces[at].earliest->trace_id);
  }
  if (!look_again.empty()) name_services(look_again);
  return true;
}

/// What was written so far is seen by what is done from here on, as between the statements of a function.
void begin_next_command() {
  pg_call([] { CommandCounterIncrement(); });
}

}  // namespace

const char* find_targets(Events events, const DirectLayout& layout, std::vector<DirectTarget>& targets) {
  if (!layout.is_partitioned) {
    targets.push_back({layout.events, std::vector<std::size_t>(events.size())});
    std::iota(targets.front().places.begin(), targets.front().places.end(), std::size_t{0});
    return nullptr;
  }
  std::vector<Oid> tables(events.size());
  std::vector<Timestamp> times;
  for (const Event* event : events) times.push_back(event->timestamp);
  const int count = static_cast<int>(times.size());
  const char* obstacle = pg_call([&] { return find_partitions(layout, times.data(), count, tables.data()); });
  if (obstacle != nullptr) return obstacle;
  std::unordered_map<Oid, std::size_t> known;
  for (std::size_t place = 0; place < events.size(); ++place) {
    const auto at = known.try_emplace(tables[place], targets.size()).first->second;
    if (at == targets.size()) targets.push_back({tables[place], {}});
    targets[at].places.push_back(place);
  }
  return nullptr;
}

std::optional<std::vector<StoreOutcome>> store_directly(Events events, const DirectLayout& layout,
                                                        const std::vector<DirectTarget>& targets, IngestWay& way) {
  // That of the default of both columns, see ingest_layout.cpp.
  const Timestamp created_at = pg_call([] { return Timestamp{GetCurrentTransactionStartTimestamp()}; });
  auto open = open_targets(events, targets, created_at);
  if (way == IngestWay::automatic) way = looks_sent_before(events, open) ? IngestWay::checking : IngestWay::direct;
  begin_next_command();
  std::vector<StoreOutcome> outcomes(events.size());
  if (way == IngestWay::checking) mark_standing(events, open, outcomes);
  for (const auto& target : open) {
    if (!store_in_table(events, target, outcomes)) return std::nullopt;
  }
  pg_call([&] {
    for (const auto& target : open) close_direct_table(target.table);
  });
  if (!add_to_traces(traces_of(events, outcomes), layout.traces, created_at)) return std::nullopt;
  begin_next_command();
  return outcomes;
}

}  // namespace raceway::postgres
