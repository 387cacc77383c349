// The SQL functions on clocks. None of them has a C++ object with a destructor in its frame, so they call PostgreSQL
// without a guard; what they throw is turned into an ERROR by the boundary.
#include <type_traits>

#include "causality/clock_algebra.hpp"
#include "postgres/jsonb_clock.hpp"
#include "postgres/numeric_counter.hpp"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
}

namespace raceway::postgres {
namespace {

using causality::InvalidClock;
using causality::Order;

static_assert(std::is_trivially_destructible_v<JsonbClock> && std::is_trivially_destructible_v<JsonbCursor> &&
                  std::is_trivially_destructible_v<JsonbClockBuilder>,
              "the functions below let PostgreSQL raise past them");

/// Raises. Throws InvalidClock where the argument is no object.
JsonbClock clock_argument(FunctionCallInfo fcinfo, int n) {
  return JsonbClock(JsonbView(PG_GETARG_DATUM(n)));
}

/// Raises.
std::string_view text_argument(FunctionCallInfo fcinfo, int n) {
  const text* const argument = PG_GETARG_TEXT_PP(n);
  return {VARDATA_ANY(argument), VARSIZE_ANY_EXHDR(argument)};
}

Datum text_datum(std::string_view text) {
  return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

/// How the first argument stands to the second. All of both is checked, not only what decides: whether a clock is valid
/// must not depend on what it is compared to.
Order order_of_arguments(FunctionCallInfo fcinfo) {
  const JsonbClock a = clock_argument(fcinfo, 0);
  const JsonbClock b = clock_argument(fcinfo, 1);
  const Order order = causality::compare(a.cursor(), b.cursor());
  if (order == Order::concurrent) {
    a.check();
    b.check();
  }
  return order;
}

/// The clock that `operation(a, b, sink)` makes of the two arguments.
template <class Operation>
Datum clock_of_arguments(FunctionCallInfo fcinfo, Operation operation) {
  const JsonbClock a = clock_argument(fcinfo, 0);
  const JsonbClock b = clock_argument(fcinfo, 1);
  JsonbClockBuilder result(a.count() + b.count());
  operation(a.cursor(), b.cursor(), result);
  return JsonbPGetDatum(result.finish());
}

/// Adds the pair under `element` of an array. Throws InvalidClock where it is none.
void add_pair(JsonbClockBuilder& clock, const JsonbEntries& element) {
  const auto reject = [&] {
    throw InvalidClock(
        InvalidClock::Kind::not_a_clock, {},
        "element " + std::to_string(element.index()) + " is no [component, counter] pair: " + element.shown());
  };
  if (!element.is_container()) reject();
  const JsonbView pair = element.container();
  if (!pair.is_array() || pair.count() != 2) reject();
  JsonbEntries part(pair);
  if (!part.is_string()) reject();
  const std::string_view name = part.string();
  part.next();
  const auto counter = part.is_numeric() ? read_counter(part.numeric()) : std::nullopt;
  if (!counter) {
    throw InvalidClock(part.is_numeric() ? InvalidClock::Kind::out_of_range : InvalidClock::Kind::not_a_number, name,
                       part.shown());
  }
  clock.add(name, *counter);
}

/// What vclock_components() keeps between its rows: where it stands in its copy of the clock. Raises.
JsonbCursor* begin_components(FunctionCallInfo fcinfo, FuncCallContext* call) {
  const MemoryContext row_memory = MemoryContextSwitchTo(call->multi_call_memory_ctx);
  if (get_call_result_type(fcinfo, nullptr, &call->tuple_desc) != TYPEFUNC_COMPOSITE) {
    throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "vclock_components() is called where no rows are expected");
  }
  const JsonbClock clock(JsonbView(JsonbPGetDatum(PG_GETARG_JSONB_P_COPY(0))));
  auto* const cursor = new (palloc(sizeof(JsonbCursor))) JsonbCursor(clock.cursor());
  MemoryContextSwitchTo(row_memory);
  return cursor;
}

}  // namespace

RACEWAY_FUNCTION(raceway_vclock_valid) {
  const JsonbView clock(PG_GETARG_DATUM(0));
  if (!clock.is_object()) PG_RETURN_BOOL(false);
  for (JsonbCursor at(clock); !at.done(); at.next()) {
    if (!at.checked_counter()) PG_RETURN_BOOL(false);
  }
  PG_RETURN_BOOL(true);
}

RACEWAY_FUNCTION(raceway_vclock_normalize) {
  const JsonbView input(PG_GETARG_DATUM(0));
  JsonbClockBuilder clock(input.count());
  if (input.is_array()) {
    for (JsonbEntries element(input); !element.done(); element.next()) add_pair(clock, element);
    clock.keep(causality::normalize(clock.components()));
  } else {
    for (JsonbCursor at = JsonbClock(input).cursor(); !at.done(); at.next()) {
      if (const auto counter = at.counter(); counter > 0) clock.add(at.name(), counter);
    }
  }
  return JsonbPGetDatum(clock.finish());
}

RACEWAY_FUNCTION(raceway_vclock_get) {
  const JsonbClock clock = clock_argument(fcinfo, 0);
  return numeric_datum(causality::counter_of(clock.cursor(), text_argument(fcinfo, 1)));
}

RACEWAY_FUNCTION(raceway_vclock_increment) {
  const JsonbClock clock = clock_argument(fcinfo, 0);
  const std::string_view name = text_argument(fcinfo, 1);
  const auto by = read_counter(reinterpret_cast<const char*>(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(2))));
  if (!by) {
    const char* const shown = DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(2)));
    throw InvalidClock(InvalidClock::Kind::bad_step, name, shown);
  }
  const causality::Component step{name, *by};
  JsonbClockBuilder result(clock.count() + 1);
  causality::advance(clock.cursor(), causality::SpanCursor(&step, &step + 1), result);
  return JsonbPGetDatum(result.finish());
}

RACEWAY_FUNCTION(raceway_vclock_merge) {
  return clock_of_arguments(fcinfo, [](auto a, auto b, auto& sink) { causality::merge(a, b, sink); });
}

RACEWAY_FUNCTION(raceway_vclock_meet) {
  return clock_of_arguments(fcinfo, [](auto a, auto b, auto& sink) { causality::meet(a, b, sink); });
}

RACEWAY_FUNCTION(raceway_vclock_diff) {
  return clock_of_arguments(fcinfo, [](auto a, auto b, auto& sink) { causality::difference(a, b, sink); });
}

RACEWAY_FUNCTION(raceway_vclock_without) {
  const JsonbClock clock = clock_argument(fcinfo, 0);
  Datum* names = nullptr;
  bool* nulls = nullptr;
  int count = 0;
  deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
  JsonbClockBuilder excluded(static_cast<std::size_t>(count));
  for (int at = 0; at < count; ++at) {
    if (nulls[at]) continue;
    const text* const name = DatumGetTextPP(names[at]);
    excluded.add({VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)}, 1);
  }
  excluded.keep(causality::normalize(excluded.components()));
  const auto out = excluded.components();
  JsonbClockBuilder result(clock.count());
  causality::without(clock.cursor(), causality::SpanCursor(out.data(), out.data() + out.size()), result);
  return JsonbPGetDatum(result.finish());
}

RACEWAY_FUNCTION(raceway_vclock_compare) {
  return text_datum(causality::name_of(order_of_arguments(fcinfo)));
}

RACEWAY_FUNCTION(raceway_vclock_happened_before) {
  PG_RETURN_BOOL(order_of_arguments(fcinfo) == Order::before);
}

RACEWAY_FUNCTION(raceway_vclock_happened_before_or_equal) {
  const Order order = order_of_arguments(fcinfo);
  PG_RETURN_BOOL(order == Order::before || order == Order::equal);
}

RACEWAY_FUNCTION(raceway_vclock_happened_after) {
  PG_RETURN_BOOL(order_of_arguments(fcinfo) == Order::after);
}

RACEWAY_FUNCTION(raceway_vclock_happened_after_or_equal) {
  const Order order = order_of_arguments(fcinfo);
  PG_RETURN_BOOL(order == Order::after || order == Order::equal);
}

RACEWAY_FUNCTION(raceway_vclock_concurrent) {
  PG_RETURN_BOOL(order_of_arguments(fcinfo) == Order::concurrent);
}

RACEWAY_FUNCTION(raceway_vclock_comparable) {
  PG_RETURN_BOOL(order_of_arguments(fcinfo) != Order::concurrent);
}

RACEWAY_FUNCTION(raceway_vclock_equal) {
  PG_RETURN_BOOL(order_of_arguments(fcinfo) == Order::equal);
}

RACEWAY_FUNCTION(raceway_vclock_size) {
  PG_RETURN_INT32(static_cast<std::int32_t>(causality::size(clock_argument(fcinfo, 0).cursor())));
}

RACEWAY_FUNCTION(raceway_vclock_sum) {
  return numeric_datum(causality::sum(clock_argument(fcinfo, 0).cursor()));
}

RACEWAY_FUNCTION(raceway_vclock_components) {
  if (SRF_IS_FIRSTCALL()) {
    FuncCallContext* const first = SRF_FIRSTCALL_INIT();
    first->user_fctx = begin_components(fcinfo, first);
  }
  FuncCallContext* const call = SRF_PERCALL_SETUP();
  JsonbCursor& at = *static_cast<JsonbCursor*>(call->user_fctx);
  while (!at.done() && at.counter() == 0) at.next();
  if (at.done()) SRF_RETURN_DONE(call);
  Datum row[] = {text_datum(at.name()), numeric_datum(at.counter())};
  bool nulls[] = {false, false};
  at.next();
  SRF_RETURN_NEXT(call, HeapTupleGetDatum(heap_form_tuple(call->tuple_desc, row, nulls)));
}

}  // namespace raceway::postgres
