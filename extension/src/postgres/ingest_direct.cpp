#include "postgres/ingest_direct.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "postgres/direct_table.hpp"
#include "postgres/ingest_rows.hpp"
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

Datum id_datum(std::string_view id) {
  return PointerGetDatum(cstring_to_text_with_len(id.data(), static_cast<int>(id.size())));
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

/// Marks the events that stand already; answers the places of the others, in the order of the events.
std::vector<std::size_t> find_new(Events events, OpenTable& table, std::vector<StoreOutcome>& outcomes) {
  std::vector<std::size_t> by_id(events.size());
  std::iota(by_id.begin(), by_id.end(), std::size_t{0});
  std::sort(by_id.begin(), by_id.end(),
            [&](std::size_t a, std::size_t b) { return events[a]->event_id < events[b]->event_id; });
  KeyProbe probe = pg_call([&] { return begin_probe(table.table()); });
  for (const auto at : by_id) {
    check_for_interrupts();
    const bool found = pg_call([&] {
      const Datum id = id_datum(events[at]->event_id);
      return may_stand(&probe, id) && find_standing_row(table.table(), id, table.slot());
    });
    if (found) outcomes[at] = {StoreOutcome::Kind::stands_already, trace_in(table.slot())};
  }
  pg_call([&] { release_path(&probe.path); });
  std::vector<std::size_t> fresh;
  for (std::size_t at = 0; at < events.size(); ++at) {
    if (outcomes[at].kind != StoreOutcome::Kind::stands_already) fresh.push_back(at);
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

/// A stored event and its row.
struct StoredRow {
  const Event* event;
  const DirectRow* row;
};

/// What the stored events add to their traces, by trace. `services` keeps the names.
std::vector<TraceGrowth> grow_by_trace(std::vector<StoredRow>& stored, VarlenaBlock& services) {
  std::sort(stored.begin(), stored.end(), [](const StoredRow& a, const StoredRow& b) {
    const auto by_trace = a.event->trace_id <=> b.event->trace_id;
    if (by_trace != 0) return by_trace < 0;
    if (a.event->timestamp != b.event->timestamp) return a.event->timestamp < b.event->timestamp;
    return a.event->event_id < b.event->event_id;
  });
  std::vector<TraceGrowth> growths;
  for (std::size_t at = 0; at < stored.size(); ++at) {
    const Event& event = *stored[at].event;
    const bool is_first = at == 0 || stored[at - 1].event->trace_id != event.trace_id;
    if (is_first) {
      TraceGrowth& growth = growths.emplace_back();
      growth.trace_id = stored[at].row->values[trace_id];
      growth.has_service = event.service_name.has_value();
      if (growth.has_service) growth.service_name = services.add_text(*event.service_name);
      growth.start_time = event.timestamp;
    }
    growths.back().end_time = event.timestamp;
    ++growths.back().event_count;
  }
  for (auto& growth : growths) {
    if (growth.has_service) growth.service_name = services.datum(growth.service_name);
  }
  return growths;
}

/// False where a trace is contested.
bool add_to_traces(std::vector<StoredRow>& stored, Oid traces) {
  VarlenaBlock services;
  auto growths = grow_by_trace(stored, services);
  OpenTable table(traces);
  const bool grown = pg_call([&] {
    const Default created_at = evaluate_created_at(traces, trace_created_at);
    return grow_traces(table.table(), table.slot(), growths.data(), static_cast<int>(growths.size()), created_at);
  });
  if (!grown) return false;
  table.close();
  std::vector<std::string> look_again;
  for (const auto& growth : growths) {
    if (!growth.is_tie) continue;
    const char* const id = DatumGetPointer(growth.trace_id);
    look_again.emplace_back(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id));
  }
  if (!look_again.empty()) name_services(look_again);
  return true;
}

/// What was written so far is seen by what is done from here on, as between the statements of a function.
void begin_next_command() {
  pg_call([] { CommandCounterIncrement(); });
}

}  // namespace

bool looks_sent_before(Events events, const DirectLayout& layout) {
  constexpr std::size_t probes = 4;
  OpenTable table(layout.events);
  bool found = false;
  for (std::size_t probe = 0; probe < std::min(probes, events.size()) && !found; ++probe) {
    const Event& event = *events[probe * events.size() / std::min(probes, events.size())];
    found = pg_call([&] { return find_standing_row(table.table(), id_datum(event.event_id), table.slot()); });
  }
  table.close();
  return found;
}

std::optional<std::vector<StoreOutcome>> store_directly(Events events, const DirectLayout& layout, bool check_first) {
  std::vector<StoreOutcome> outcomes(events.size());
  begin_next_command();
  OpenTable table(layout.events);
  std::vector<std::size_t> places;
  if (check_first) {
    places = find_new(events, table, outcomes);
  } else {
    for (std::size_t at = 0; at < events.size(); ++at) places.push_back(at);
  }
  std::vector<const Event*> fresh;
  for (const auto place : places) fresh.push_back(events[place]);

  const Default created_at = pg_call([&] { return evaluate_created_at(layout.events, event_created_at); });
  EventRows rows(fresh, created_at);
  std::vector<DirectRow*> pointers;
  for (auto& row : rows.rows()) pointers.push_back(&row);
  pg_call([&] { insert_into_heap(table.table(), pointers.data(), static_cast<int>(pointers.size())); });
  if (!add_all_keys(table, {rows.rows(), places}, outcomes)) return std::nullopt;

  std::vector<StoredRow> stored;
  pointers.clear();
  for (std::size_t at = 0; at < fresh.size(); ++at) {
    if (outcomes[places[at]].kind != StoreOutcome::Kind::stored) continue;
    pointers.push_back(&rows.rows()[at]);
    stored.push_back({fresh[at], &rows.rows()[at]});
  }
  pg_call([&] { insert_other_keys(table.table(), pointers.data(), static_cast<int>(pointers.size())); });
  table.close();
  if (!stored.empty() && !add_to_traces(stored, layout.traces)) return std::nullopt;
  begin_next_command();
  return outcomes;
}

}  // namespace raceway::postgres
