// The SQL functions on clocks. None of them has a C++ object with a destructor in its frame, so they call PostgreSQL
// without a guard; what they throw is turned into an ERROR by the boundary.
#include <type_traits>

#include "causality/clock_algebra.hpp"
#include "postgres/jsonb_clock.hpp"
#include "postgres/jsonb_order.hpp"
#include "postgres/numbers.hpp"
#include "postgres/numeric_counter.hpp"
#include "postgres/text.hpp"

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

/// Throws what is wrong with one of two jsonb that have no order: what one finds who compares them in earnest.
[[gnu::cold]] Order reject(const JsonbView& first, const JsonbView& second) {
  const JsonbClock a(first);
  const JsonbClock b(second);
  const Order order = causality::compare(a.cursor(), b.cursor());
  a.check();
  b.check();
  return order;
}

/// How the first argument stands to the second.
Order order_of_arguments(FunctionCallInfo fcinfo) {
  const JsonbView a(PG_GETARG_DATUM(0));
  const JsonbView b(PG_GETARG_DATUM(1));
  const auto order = order_of(a, b);
  return order ? *order : reject(a, b);
}

/// The name of an order as a text.
class OrderText {
 public:
  explicit OrderText(Order order) noexcept {
    const std::string_view word = causality::name_of(order);
    SET_VARSIZE(&header_, VARHDRSZ + word.size());
    std::memcpy(letters_, word.data(), word.size());
  }
  Datum datum() const noexcept { return PointerGetDatum(this); }

 private:
  std::int32_t header_;
  char letters_[12];
};

/// The answers of vclock_compare(), made once: PostgreSQL lets a function answer what it did not palloc (it neither
/// frees nor changes what a function answers, which may be an argument and lie in a table's page).
Datum order_datum(Order order) {
  static const OrderText texts[] = {OrderText(Order::before), OrderText(Order::after), OrderText(Order::equal),
                                    OrderText(Order::concurrent)};
  static_assert(static_cast<int>(Order::before) == 0 && static_cast<int>(Order::after) == 1 &&
                static_cast<int>(Order::equal) == 2 && static_cast<int>(Order::concurrent) == 3);
  return texts[static_cast<std::size_t>(order)].datum();
}

/// The clock that `operation(a, b, sink)` makes of the two arguments.
template <class Operation>
Datum clock_of_arguments(FunctionCallInfo fcinfo, Operation operation) {
  const JsonbView first(PG_GETARG_DATUM(0));
  const JsonbView second(PG_GETARG_DATUM(1));
  JsonbView::prefetch(first, second);
  const JsonbClock a(first);
  const JsonbClock b(second);
  JsonbClockBuilder result(a.count() + b.count());
  operation(a.cursor(), b.cursor(), result);
  return JsonbPGetDatum(result.finish());
}

/// Adds the pair that an array has as its element `index`. Throws InvalidClock where it is none.
void add_pair(JsonbClockBuilder& clock, std::uint32_t index, const JsonbChild& element) {
  const auto reject = [&] {
    throw InvalidClock(InvalidClock::Kind::not_a_clock, {},
                       "element " + std::to_string(index) + " is no [component, counter] pair: " + element.shown());
  };
  if (!element.is_container()) reject();
  const JsonbView pair = element.container();
  if (!pair.is_array() || pair.count() != 2) reject();
  JsonbChildren parts(pair);
  const JsonbChild name = parts.next();
  const JsonbChild value = parts.next();
  if (!name.is_string()) reject();
  causality::Counter counter = 0;
  if (!value.read(counter)) {
    throw InvalidClock(value.is_numeric() ? InvalidClock::Kind::out_of_range : InvalidClock::Kind::not_a_number,
                       name.string(), value.shown());
  }
  clock.add(name.string(), counter);
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
  causality::Counter counter = 0;
  for (JsonbCursor at(clock); !at.done(); at.next()) {
    if (!at.read(counter)) PG_RETURN_BOOL(false);
  }
  PG_RETURN_BOOL(true);
}

RACEWAY_FUNCTION(raceway_vclock_normalize) {
  const JsonbView input(PG_GETARG_DATUM(0));
  JsonbClockBuilder clock(input.count());
  if (input.is_array()) {
    JsonbChildren elements(input);
    for (std::uint32_t index = 0; index < input.count(); ++index) add_pair(clock, index, elements.next());
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
  return NumericGetDatum(numeric_of(causality::counter_of(clock.cursor(), text_argument(fcinfo, 1))));
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
  return order_datum(order_of_arguments(fcinfo));
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
  return NumericGetDatum(numeric_of(causality::sum(clock_argument(fcinfo, 0).cursor())));
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
  Datum row[] = {text_datum(at.name()), NumericGetDatum(numeric_of(at.counter()))};
  bool nulls[] = {false, false};
  at.next();
  SRF_RETURN_NEXT(call, HeapTupleGetDatum(heap_form_tuple(call->tuple_desc, row, nulls)));
}

}  // namespace raceway::postgres
