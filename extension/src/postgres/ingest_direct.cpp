#include "postgres/ingest_direct.hpp"

#include <algorithm>
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
#include "utils/builtins.h"
}

namespace raceway::postgres {
namespace {

using wire::Event;
using Events = std::span<const Event* const>;
using Outcomes = std::vector<StoreOutcome>;

/// A target that is open. After a raise, or where the batch is contested, the rollback closes it.
struct OpenTarget {
  DirectTable* table;
  const std::vector<std::size_t>* places;
  KeySearch search;
};

/// They stay where they are: searches refer to themselves.
std::vector<OpenTarget> open_targets(const std::vector<DirectTarget>& targets) {
  std::vector<OpenTarget> open;
  for (const auto& target : targets) {
    open.push_back({pg_call([&] { return open_direct_table(target.table); }), &target.places, {}});
  }
  return open;
}

/// The key of a table of events. Allocates; raises.
DirectKey key_of(const Event& event) {
  return {{PointerGetDatum(cstring_to_text_with_len(event.event_id.data(), static_cast<int>(event.event_id.size()))),
           TimestampGetDatum(event.timestamp)}};
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

/// What became of an event, and the row that was made of it, of which there is one already, in the slot.
StoreOutcome stands_already(TupleTableSlot* slot, const Event& event, const DirectRow& sent) {
  StoreOutcome outcome = {StoreOutcome::Kind::stands_already, trace_in(slot)};
  if (outcome.text == event.trace_id) outcome.other_contents = other_contents(slot, sent);
  return outcome;
}

/// Looks for the events at these places, in the order of their identity, each in its table; `found` is told which one
/// stands, and where, and answers whether to go on.
template <class Found>
void look_for(Events events, std::vector<std::pair<std::size_t, OpenTarget*>> places, std::vector<OpenTarget>& targets,
              Found found) {
  std::sort(places.begin(), places.end(), [&](const auto& a, const auto& b) {
    return EventIdentity{true}.before(*events[a.first], *events[b.first]);
  });
  pg_call([&] {
    for (auto& target : targets) begin_search(&target.search, target.table);
  });
  for (const auto& [place, target] : places) {
    check_for_interrupts();
    const bool stands = pg_call([&] { return find_standing_row(&target->search, key_of(*events[place])); });
    if (stands && !found(place, *target->table)) break;
  }
  pg_call([&] {
    for (auto& target : targets) end_search(&target.search);
  });
}

/// Judged by a few of each table.
bool looks_sent_before(Events events, std::vector<OpenTarget>& targets) {
  std::vector<std::pair<std::size_t, OpenTarget*>> probes;
  for (auto& target : targets) {
    const auto& places = *target.places;
    const std::size_t count = std::min(places.size(), std::clamp<std::size_t>(events.size() / 64, 4, 16));
    for (std::size_t at = 0; at < count; ++at) probes.emplace_back(places[at * places.size() / count], &target);
  }
  bool is_any = false;
  look_for(events, std::move(probes), targets, [&](std::size_t, const DirectTable&) {
    is_any = true;
    return false;
  });
  return is_any;
}

void mark_standing(Events events, std::vector<OpenTarget>& targets, Outcomes& outcomes) {
  std::vector<std::pair<std::size_t, OpenTarget*>> all;
  for (auto& target : targets) {
    for (const auto place : *target.places) all.emplace_back(place, &target);
  }
  look_for(events, std::move(all), targets, [&](std::size_t place, const DirectTable& table) {
    EventRows sent(events.subspan(place, 1), 0);
    outcomes[place] = stands_already(table.slot, *events[place], sent.rows().front());
    return true;
  });
}

/// Rows on their way into the table, and which event each is of.
struct NewRows {
  std::vector<DirectRow>& rows;
  const std::vector<std::size_t>& places;

  /// In the order of the rows.
  std::vector<DirectRow*> pointers() const {
    std::vector<DirectRow*> all;
    for (auto& row : rows) all.push_back(&row);
    return all;
  }
};

/// Adds the keys of rows that are in the heap; marks what is stored and what stands already. False where a key is
/// contested.
bool add_all_keys(Events events, DirectTable* table, const NewRows& fresh, Outcomes& outcomes) {
  auto pointers = fresh.pointers();
  for (const auto place : fresh.places) outcomes[place].kind = StoreOutcome::Kind::stored;
  PendingKeys keys = pg_call([&] { return begin_keys(table, pointers.data(), static_cast<int>(pointers.size())); });
  while (true) {
    const RefusedKey refused = pg_call([&] { return add_keys(table, &keys); });
    if (refused.row == nullptr) return true;
    if (refused.outcome == KeyOutcome::contested) return false;
    const auto at = static_cast<std::size_t>(refused.row - fresh.rows.data());
    const auto place = fresh.places[at];
    outcomes[place] = stands_already(table->slot, *events[place], *refused.row);
  }
}

/// Writes those of the target's events that are not known to stand; marks what is stored and what stands already. False
/// where a key is contested.
bool store_in_table(Events events, const OpenTarget& target, Timestamp created_at, Outcomes& outcomes) {
  std::vector<std::size_t> places;
  std::vector<const Event*> fresh;
  for (const auto place : *target.places) {
    if (outcomes[place].kind == StoreOutcome::Kind::stands_already) continue;
    places.push_back(place);
    fresh.push_back(events[place]);
  }
  EventRows rows(fresh, created_at);
  const NewRows written = {rows.rows(), places};
  auto pointers = written.pointers();
  const auto count = [&] { return static_cast<int>(pointers.size()); };
  pg_call([&] { insert_into_heap(target.table, pointers.data(), count()); });
  if (!add_all_keys(events, target.table, written, outcomes)) return false;
  std::erase_if(pointers, [&](const DirectRow* row) {
    const auto at = static_cast<std::size_t>(row - written.rows.data());
    return outcomes[places[at]].kind != StoreOutcome::Kind::stored;
  });
  pg_call([&] { insert_other_keys(target.table, pointers.data(), count()); });
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
  auto open = open_targets(targets);
  if (way == IngestWay::automatic) way = looks_sent_before(events, open) ? IngestWay::checking : IngestWay::direct;
  begin_next_command();
  std::vector<StoreOutcome> outcomes(events.size());
  if (way == IngestWay::checking) mark_standing(events, open, outcomes);
  for (const auto& target : open) {
    if (!store_in_table(events, target, created_at, outcomes)) return std::nullopt;
  }
  pg_call([&] {
    for (const auto& target : open) close_direct_table(target.table);
  });
  if (!add_to_traces(traces_of(events, outcomes), layout.traces, created_at)) return std::nullopt;
  begin_next_command();
  return outcomes;
}

}  // namespace raceway::postgres
