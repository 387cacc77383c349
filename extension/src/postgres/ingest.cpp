// The SQL functions ingest(bytea), ingest(jsonb) and ingest(bytea[]).
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "postgres/boundary.hpp"
#include "postgres/ingest_identity.hpp"
#include "postgres/ingest_store.hpp"
#include "wire/batch.hpp"
#include "wire/reasons.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"
}

namespace raceway::postgres {
namespace {

using wire::Batch;
using wire::Event;

/// What is reported of one body.
struct BodyResult {
  std::int64_t stored = 0;
  std::int64_t duplicates = 0;
  std::vector<wire::Rejection> rejected;
  IngestWay way = IngestWay::spi;
};

/// One time that an event was sent.
struct Sending {
  std::size_t body;
  const Event* event;
};

void require_utf8() {
  if (GetDatabaseEncoding() == PG_UTF8) return;
  throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "events are stored only in a database with the encoding UTF8", {},
                 "Create the database WITH ENCODING 'UTF8' TEMPLATE template0.");
}

Batch read_body(std::string_view body, std::size_t number, std::size_t count) {
  try {
    return wire::read_batch(body);
  } catch (const wire::BodyError& error) {
    throw SqlError(ERRCODE_INVALID_JSON_TEXT, error.what(),
                   count > 1 ? "It is body " + std::to_string(number + 1) + " of " + std::to_string(count) + "." : "");
  }
}

/// Every sending, by the event's identity; of equal ones the one sent first comes first.
std::vector<Sending> sendings_by_identity(const std::vector<Batch>& batches, EventIdentity identity) {
  std::vector<Sending> sendings;
  for (std::size_t body = 0; body < batches.size(); ++body) {
    for (const auto& event : batches[body].events) sendings.push_back({body, &event});
  }
  std::stable_sort(sendings.begin(), sendings.end(),
                   [identity](const Sending& a, const Sending& b) { return identity.before(*a.event, *b.event); });
  return sendings;
}

/// The sendings of each event, in the order in which the events were first sent.
std::vector<std::span<const Sending>> group_by_event(std::span<const Sending> sendings, EventIdentity identity) {
  std::vector<std::span<const Sending>> groups;
  for (std::size_t from = 0; from < sendings.size();) {
    std::size_t to = from + 1;
    while (to < sendings.size() && identity.same(*sendings[to].event, *sendings[from].event)) ++to;
    groups.push_back(sendings.subspan(from, to - from));
    from = to;
  }
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
    const auto& [body_of_a, event_of_a] = a.front();
    const auto& [body_of_b, event_of_b] = b.front();
    return std::pair(body_of_a, event_of_a->index) < std::pair(body_of_b, event_of_b->index);
  });
  return groups;
}

void reject(BodyResult& result, const Event& event, std::string reason) {
  result.rejected.push_back({event.index, std::string(event.event_id), std::move(reason)});
}

/// Counts the sendings of one event, of which the first was offered to the tables.
void count_sendings(std::span<const Sending> sendings, const StoreOutcome& outcome, std::vector<BodyResult>& results) {
  const bool stored = outcome.kind == StoreOutcome::Kind::stored;
  const std::string_view standing = stored ? sendings.front().event->trace_id : std::string_view(outcome.text);
  for (std::size_t at = 0; at < sendings.size(); ++at) {
    const Event& event = *sendings[at].event;
    BodyResult& result = results[sendings[at].body];
    if (outcome.kind == StoreOutcome::Kind::refused) {
      reject(result, event, outcome.text);
    } else if (stored && at == 0) {
      ++result.stored;
    } else if (event.trace_id == standing) {
      ++result.duplicates;
    } else {
      reject(result, event, wire::reason_other_trace(standing));
    }
  }
}

std::vector<BodyResult> ingest(const std::vector<std::string_view>& bodies) {
  require_utf8();
  std::vector<Batch> batches;
  std::vector<BodyResult> results(bodies.size());
  for (std::size_t body = 0; body < bodies.size(); ++body) {
    batches.push_back(read_body(bodies[body], body, bodies.size()));
    results[body].rejected = std::move(batches[body].rejected);
  }

  const DirectLayout layout = pg_call([] { return find_direct_layout(); });
  const EventIdentity identity = {layout.is_partitioned};
  const auto sendings = sendings_by_identity(batches, identity);
  const auto groups = group_by_event(sendings, identity);
  // In the order in which they came: what belongs together stands together in the table then.
  std::vector<const Event*> events;
  for (const auto& group : groups) events.push_back(group.front().event);

  pg_call([] { SPI_connect(); });
  IngestWay way;
  const auto outcomes = store_events(events, layout, way);
  pg_call([] { SPI_finish(); });

  for (std::size_t at = 0; at < groups.size(); ++at) count_sendings(groups[at], outcomes[at], results);
  for (auto& result : results) {
    result.way = way;
    std::sort(result.rejected.begin(), result.rejected.end(),
              [](const auto& a, const auto& b) { return a.index < b.index; });
  }
  return results;
}

std::string rejections_json(const std::vector<wire::Rejection>& rejected) {
  std::string json = "[";
  for (const auto& rejection : rejected) {
    if (json.size() > 1) json += ',';
    json += "{\"index\":" + std::to_string(rejection.index) + ",\"id\":";
    wire::append_json_string(json, rejection.id);
    json += ",\"reason\":";
    wire::append_json_string(json, rejection.reason);
    json += '}';
  }
  return json + "]";
}

constexpr int result_columns = 4;

void fill_row(const BodyResult& result, const std::string& rejected, Datum* values) {
  values[0] = Int64GetDatum(result.stored);
  values[1] = Int64GetDatum(result.duplicates);
  values[2] = DirectFunctionCall1(jsonb_in, CStringGetDatum(rejected.c_str()));
  values[3] = CStringGetTextDatum(name_of(result.way));
}

/// The row of one body as a composite value.
Datum ingest_one(FunctionCallInfo fcinfo, std::string_view body) {
  const auto results = ingest({body});
  const std::string rejected = rejections_json(results.front().rejected);
  return pg_call([&] {
    TupleDesc description = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) {
      elog(ERROR, "ingest must be declared with four OUT arguments");
    }
    description = BlessTupleDesc(description);
    Datum values[result_columns];
    bool nulls[result_columns] = {};
    fill_row(results.front(), rejected, values);
    return HeapTupleGetDatum(heap_form_tuple(description, values, nulls));
  });
}

/// A set-returning function's place for its rows.
struct RowSink {
  Tuplestorestate* rows;
  TupleDesc description;
};

RowSink open_rows(FunctionCallInfo fcinfo) {
  auto* info = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (info == nullptr || !IsA(info, ReturnSetInfo) || (info->allowedModes & SFRM_Materialize) == 0) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("ingest(bytea[]) returns rows; call it in FROM")));
  }
  const MemoryContext outer = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
  TupleDesc description = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) {
    elog(ERROR, "ingest must be declared with four OUT arguments");
  }
  info->returnMode = SFRM_Materialize;
  info->setDesc = BlessTupleDesc(description);
  info->setResult = tuplestore_begin_heap(true, false, work_mem);
  MemoryContextSwitchTo(outer);
  return {info->setResult, info->setDesc};
}

/// The bytes of a bytea, detoasted where they must be; they live as long as the function call.
std::string_view bytes_of(Datum datum) {
  const auto* bytes = reinterpret_cast<const char*>(PG_DETOAST_DATUM_PACKED(datum));
  return {VARDATA_ANY(bytes), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(bytes))};
}

/// The elements of a bytea[]; they live as long as the function call.
std::vector<std::string_view> bodies_of(ArrayType* array) {
  struct Elements {
    Datum* values;
    bool* nulls;
    int count;
  };
  const Elements elements = pg_call([array] {
    Elements out{};
    deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &out.values, &out.nulls, &out.count);
    return out;
  });
  std::vector<std::string_view> bodies;
  for (int at = 0; at < elements.count; ++at) {
    if (elements.nulls[at]) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "a body is NULL");
    bodies.push_back(pg_call([&] { return bytes_of(elements.values[at]); }));
  }
  return bodies;
}

}  // namespace

RACEWAY_FUNCTION(raceway_ingest_body) {
  return ingest_one(fcinfo, bytes_of(PG_GETARG_DATUM(0)));
}

RACEWAY_FUNCTION(raceway_ingest_jsonb) {
  Jsonb* events = PG_GETARG_JSONB_P(0);
  char* text = JsonbToCString(nullptr, &events->root, VARSIZE(events));
  return ingest_one(fcinfo, text);
}

RACEWAY_FUNCTION(raceway_ingest_bodies) {
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
  const RowSink sink = open_rows(fcinfo);
  const auto results = ingest(bodies_of(array));
  for (const auto& result : results) {
    const std::string rejected = rejections_json(result.rejected);
    pg_call([&] {
      Datum values[result_columns];
      bool nulls[result_columns] = {};
      fill_row(result, rejected, values);
      tuplestore_putvalues(sink.rows, sink.description, values, nulls);
    });
  }
  return Datum{0};
}

}  // namespace raceway::postgres
