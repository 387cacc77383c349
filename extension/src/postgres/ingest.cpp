// The SQL functions ingest(bytea), ingest(jsonb) and ingest(bytea[]).
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "postgres/body_limit.hpp"
#include "postgres/boundary.hpp"
#include "postgres/ingest_spi.hpp"
#include "postgres/ingest_store.hpp"
#include "postgres/reading_memory.hpp"
#include "wire/batch.hpp"
#include "wire/sendings.hpp"

extern "C" {
#include "access/detoast.h"
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
  wire::BodyOutcome outcome;
  IngestWay way = IngestWay::spi;
};

void require_utf8() {
  if (GetDatabaseEncoding() == PG_UTF8) return;
  throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "events are stored only in a database with the encoding UTF8", {},
                 "Create the database WITH ENCODING 'UTF8' TEMPLATE template0.");
}

/// Which of the bodies of a call.
struct BodyPlace {
  std::size_t number = 0;
  std::size_t count = 1;

  /// For an error that is about it.
  std::string detail() const {
    return count > 1 ? "It is body " + std::to_string(number + 1) + " of " + std::to_string(count) + "." : "";
  }
};

Batch read_body(std::string_view body, const BodyPlace& place, wire::Allowance& allowance) {
  try {
    return wire::read_batch(body, {.allowance = &allowance});
  } catch (const wire::BodyError& error) {
    throw SqlError(ERRCODE_INVALID_JSON_TEXT, error.what(), place.detail());
  }
}

/// Sendings that say something else than the first of their event, which was offered.
void offer_again(std::vector<wire::Sending>& open, std::vector<wire::BodyOutcome>& reported) {
  if (open.empty()) return;
  wire::sort_by_id(open);
  std::vector<const Event*> events;
  for (const auto& sending : open) events.push_back(sending.event);
  const auto outcomes = offer_one_by_one(events);
  for (std::size_t at = 0; at < open.size(); ++at) wire::count_sending(open[at], outcomes[at], reported);
}

std::vector<BodyResult> ingest(const std::vector<std::string_view>& bodies) {
  require_utf8();
  wire::Allowance allowance(reading_memory(), check_for_interrupts);
  allowance.set_limit(wire::memory_of_any_body);
  std::vector<Batch> batches;
  std::vector<wire::BodyOutcome> reported(bodies.size());
  for (std::size_t body = 0; body < bodies.size(); ++body) {
    batches.push_back(read_body(bodies[body], {body, bodies.size()}, allowance));
    reported[body].rejected = std::move(batches[body].rejected);
  }

  const DirectLayout layout = pg_call([] { return find_direct_layout(); });
  const EventIdentity identity = {layout.is_partitioned};
  const auto sendings = wire::sendings_by_identity(batches, identity, allowance);
  const auto groups = wire::group_by_event(sendings, identity);
  // In the order in which they came: what belongs together stands together in the table then.
  std::vector<const Event*> events;
  for (const auto& group : groups) events.push_back(group.front().event);

  pg_call([] { SPI_connect(); });
  IngestWay way;
  const auto outcomes = store_events(events, layout, way);
  std::vector<wire::Sending> open;
  for (std::size_t at = 0; at < groups.size(); ++at) wire::count_sendings(groups[at], outcomes[at], reported, open);
  offer_again(open, reported);
  pg_call([] { SPI_finish(); });

  std::vector<BodyResult> results;
  for (auto& outcome : reported) {
    outcome.rejected.sort();
    results.push_back({std::move(outcome), way});
  }
  return results;
}

void append_rejection(std::string& json, const wire::Rejection& rejection) {
  json += json.empty() ? '[' : ',';
  json += "{\"index\":" + std::to_string(rejection.index) + ",\"id\":";
  wire::append_json_string(json, rejection.id);
  json += ",\"reason\":";
  wire::append_json_string(json, rejection.reason);
}

/// Those that are not told are one more for whoever does not know of them.
std::string rejections_json(const wire::Rejections& rejected) {
  if (rejected.empty()) return "[]";
  std::string json;
  for (const auto& rejection : rejected.told()) {
    append_rejection(json, rejection);
    json += '}';
  }
  if (rejected.untold() > 0) {
    const std::string count = std::to_string(rejected.untold());
    append_rejection(json, {rejected.told().back().index, "", count + " more events behind it are rejected"});
    json += ",\"more\":" + count + '}';
  }
  return json + "]";
}

constexpr int result_columns = 4;

/// The row that ingest is declared to answer.
TupleDesc describe_result(FunctionCallInfo fcinfo) {
  TupleDesc description = nullptr;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) {
    elog(ERROR, "ingest must be declared with four OUT arguments");
  }
  return BlessTupleDesc(description);
}

void fill_row(const BodyResult& result, const std::string& rejected, Datum* values) {
  values[0] = Int64GetDatum(static_cast<std::int64_t>(result.outcome.stored));
  values[1] = Int64GetDatum(static_cast<std::int64_t>(result.outcome.duplicates));
  values[2] = DirectFunctionCall1(jsonb_in, CStringGetDatum(rejected.c_str()));
  values[3] = CStringGetTextDatum(name_of(result.way));
}

/// The row of one body as a composite value.
Datum ingest_one(FunctionCallInfo fcinfo, std::string_view body) {
  const auto results = ingest({body});
  const std::string rejected = rejections_json(results.front().outcome.rejected);
  return pg_call([&] {
    Datum values[result_columns];
    bool nulls[result_columns] = {};
    fill_row(results.front(), rejected, values);
    return HeapTupleGetDatum(heap_form_tuple(describe_result(fcinfo), values, nulls));
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
  info->returnMode = SFRM_Materialize;
  info->setDesc = describe_result(fcinfo);
  info->setResult = tuplestore_begin_heap(true, false, work_mem);
  MemoryContextSwitchTo(outer);
  return {info->setResult, info->setDesc};
}

/// The bytes of a bytea, detoasted where they must be; they live as long as the function call. Raises; throws where
/// there are more than a body may have, before they are detoasted.
std::string_view bytes_of(Datum datum, const BodyPlace& place) {
  const std::size_t size = toast_raw_datum_size(datum) - VARHDRSZ;
  if (size > largest_body()) throw body_too_large(size, place.detail());
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
    const BodyPlace place = {static_cast<std::size_t>(at), static_cast<std::size_t>(elements.count)};
    bodies.push_back(pg_call([&] { return bytes_of(elements.values[at], place); }));
  }
  return bodies;
}

}  // namespace

RACEWAY_FUNCTION(raceway_ingest_body) {
  return ingest_one(fcinfo, bytes_of(PG_GETARG_DATUM(0), {}));
}

RACEWAY_FUNCTION(raceway_ingest_jsonb) {
  Jsonb* events = PG_GETARG_JSONB_P(0);
  const std::string_view text = JsonbToCString(nullptr, &events->root, VARSIZE(events));
  if (text.size() > largest_body()) throw body_too_large(text.size(), {});
  return ingest_one(fcinfo, text);
}

RACEWAY_FUNCTION(raceway_ingest_bodies) {
  ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
  const RowSink sink = open_rows(fcinfo);
  const auto results = ingest(bodies_of(array));
  for (const auto& result : results) {
    const std::string rejected = rejections_json(result.outcome.rejected);
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
