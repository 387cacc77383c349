#include "postgres/ingest_direct.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "postgres/direct_table.hpp"
#include "postgres/ingest_identity.hpp"
#include "postgres/ingest_rows.hpp"
#include "postgres/ingest_spi.hpp"
#include "postgres/trace_rollup.hpp"

extern "C" {
#include "access/xact.h"
#include "executor/executor.h"
#include "utils/builtins.h"
}

namespace raceway::postgres {
namespace {

using wire::Event;
using Events = std::span<const Event* const>;

/// A table that is open as long as this lives; the abort of the transaction closes it after a raise.
class OpenTable {
 public:
  explicit OpenTable(Oid relation) {
    pg_call([&] {
      table_ = open_direct_table(relation);
      slot_ = make_row_slot(table_);
    });
  }
  OpenTable(const OpenTable&) = delete;
  OpenTable& operator=(const OpenTable&) = delete;
  ~OpenTable() = default;

  void close() {
    pg_call([this] {
      ExecDropSingleTupleTableSlot(slot_);
      close_direct_table(table_);
    });
  }
  DirectTable* table() { return table_; }
  TupleTableSlot* slot() { return slot_; }

 private:
  DirectTable* table_ = nullptr;
  TupleTableSlot* slot_ = nullptr;
};

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

/// In the order in which batches wait for each other.
bool comes_before(const Event* a, const Event* b) {
  return EventIdentity{true}.before(*a, *b);
}

/// Looks for the events, which come in this order, one after the other; `found` is told which one stands, and under
/// which trace, and answers whether to go on.
template <class Found>
void look_for(Events in_order, OpenTable& table, Found found) {
  KeyProbe probe = pg_call([&] { return begin_probe(table.table()); });
  for (std::size_t at = 0; at < in_order.size(); ++at) {
    check_for_interrupts();
    const bool stands = pg_call([&] {
      const DirectKey key = key_of(*in_order[at]);
      return may_stand(&probe, key) && find_standing_row(table.table(), key, table.slot());
    });
    if (stands && !found(at)) break;
  }
  pg_call([&] { release_path(&probe.path); });
}

bool is_any_standing(std::vector<const Event*> events, OpenTable& table) {
  std::sort(events.begin(), events.end(), comes_before);
  bool is_any = false;
  look_for(events, table, [&](std::size_t) {
    is_any = true;
    return false;
  });
  return is_any;
}

/// Marks the events at these places that stand already; answers the other places.
std::vector<std::size_t> find_new(Events events, const std::vector<std::size_t>& places, OpenTable& table,
                                  std::vector<StoreOutcome>& outcomes) {
  std::vector<std::size_t> in_order = places;
  std::sort(in_order.begin(), in_order.end(),
            [&](std::size_t a, std::size_t b) { return comes_before(events[a], events[b]); });
  std::vector<const Event*> sorted;
  for (const auto place : in_order) sorted.push_back(events[place]);
  look_for(sorted, table, [&](std::size_t at) {
    outcomes[in_order[at]] = {StoreOutcome::Kind::stands_already, trace_in(table.slot())};
    return true;
  });
  std::vector<std::size_t> fresh;
  for (const auto place : places) {
    if (outcomes[place].kind != StoreOutcome::Kind::stands_already) fresh.push_back(place);
  }
  return fresh;
}

/// Rows on their way into the table, and which event each is of.
struct NewRows {
  std::vector<DirectRow>& rows;
  const std::vector<std::size_t>& places;
};

/// Adds the keys of rows that are in the heap; marks what is stored and what stands already. False where a key is
/// contested.
bool add_all_keys(OpenTable& table, const NewRows& fresh, std::vector<StoreOutcome>& outcomes) {
  std::vector<DirectRow*> pointers;
  for (auto& row : fresh.rows) pointers.push_back(&row);
  for (const auto place : fresh.places) outcomes[place].kind = StoreOutcome::Kind::stored;
  PendingKeys keys =
      pg_call([&] { return begin_keys(table.table(), pointers.data(), static_cast<int>(pointers.size())); });
  while (true) {
    const RefusedKey refused = pg_call([&] { return add_keys(table.table(), &keys, table.slot()); });
    if (refused.row == nullptr) return true;
    if (refused.outcome == KeyOutcome::contested) return false;
    const auto at = static_cast<std::size_t>(refused.row - fresh.rows.data());
    outcomes[fresh.places[at]] = {StoreOutcome::Kind::stands_already, trace_in(table.slot())};
  }
}

/// Writes the events at these places; marks what is stored and what stands already. False where a key is contested.
bool store_in_table(Events events, const std::vector<std::size_t>& places, OpenTable& table, const Default& created_at,
                    std::vector<StoreOutcome>& outcomes) {
  std::vector<const Event*> fresh;
  for (const auto place : places) fresh.push_back(events[place]);
  EventRows rows(fresh, created_at);
  std::vector<DirectRow*> pointers;
  for (auto& row : rows.rows()) pointers.push_back(&row);
  pg_call([&] { insert_into_heap(table.table(), pointers.data(), static_cast<int>(pointers.size())); });
  if (!add_all_keys(table, {rows.rows(), places}, outcomes)) return false;

  pointers.clear();
  for (std::size_t at = 0; at < fresh.size(); ++at) {
    if (outcomes[places[at]].kind == StoreOutcome::Kind::stored) pointers.push_back(&rows.rows()[at]);
  }
  pg_call([&] { insert_other_keys(table.table(), pointers.data(), static_cast<int>(pointers.size())); });
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
std::vector<TraceOfBatch> traces_of(Events stored) {
  std::vector<TraceOfBatch> traces;
  std::unordered_map<std::string_view, std::size_t> known;
  std::size_t at = 0;
  for (const Event* event : stored) {
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
bool add_to_traces(Events stored, Oid relation) {
  const auto traces = traces_of(stored);
  VarlenaBlock texts;
  auto growths = growths_of(traces, texts);
  OpenTable table(relation);
  const bool grown = pg_call([&] {
    const Default created_at = evaluate_created_at(relation, trace_created_at);
    return grow_traces(table.table(), table.slot(), growths.data(), static_cast<int>(growths.size()), created_at);
  });
  if (!grown) return false;
  table.close();
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
  std::vector<Oid> tables(events.size(), layout.events);
  if (layout.is_partitioned) {
    std::vector<Timestamp> times;
    for (const Event* event : events) times.push_back(event->timestamp);
    const int count = static_cast<int>(times.size());
    const char* obstacle = pg_call([&] { return find_partitions(layout, times.data(), count, tables.data()); });
    if (obstacle != nullptr) return obstacle;
  }
  for (std::size_t place = 0; place < events.size(); ++place) {
    auto found = std::find_if(targets.begin(), targets.end(),
                              [&](const DirectTarget& target) { return target.table == tables[place]; });
    if (found == targets.end()) found = targets.insert(targets.end(), {tables[place], {}});
    found->places.push_back(place);
  }
  // In this order batches wait for each other.
  std::sort(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.table < b.table; });
  return nullptr;
}

bool looks_sent_before(Events events, const std::vector<DirectTarget>& targets) {
  const std::size_t probes = std::clamp<std::size_t>(events.size() / 64, 4, 16);
  bool found = false;
  for (std::size_t at = 0; at < targets.size() && !found; ++at) {
    const auto& places = targets[at].places;
    std::vector<const Event*> probed;
    for (std::size_t probe = 0; probe < std::min(probes, places.size()); ++probe) {
      probed.push_back(events[places[probe * places.size() / std::min(probes, places.size())]]);
    }
    OpenTable table(targets[at].table);
    found = is_any_standing(probed, table);
    table.close();
  }
  return found;
}

std::optional<std::vector<StoreOutcome>> store_directly(Events events, const DirectLayout& layout,
                                                        const std::vector<DirectTarget>& targets, bool check_first) {
  std::vector<StoreOutcome> outcomes(events.size());
  begin_next_command();
  const Default created_at = pg_call([&] { return evaluate_created_at(layout.events, event_created_at); });
  for (const auto& target : targets) {
    OpenTable table(target.table);
    const auto places = check_first ? find_new(events, target.places, table, outcomes) : target.places;
    if (!store_in_table(events, places, table, created_at, outcomes)) return std::nullopt;
    table.close();
  }
  std::vector<const Event*> stored;
  for (std::size_t place = 0; place < events.size(); ++place) {
    if (outcomes[place].kind == StoreOutcome::Kind::stored) stored.push_back(events[place]);
  }
  if (!stored.empty() && !add_to_traces(stored, layout.traces)) return std::nullopt;
  begin_next_command();
  return outcomes;
}

}  // namespace raceway::postgres
