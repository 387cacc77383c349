// The aggregate vclock_frontier(): the maximal clocks of a set, those that none of the others is after.
#include <algorithm>
#include <span>
#include <type_traits>

#include "causality/clock_algebra.hpp"
#include "postgres/aggregate_state.hpp"
#include "postgres/jsonb_clock.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

namespace raceway::postgres {
namespace {

using causality::Order;

JsonbClock clock_of(Jsonb* jsonb) {
  return JsonbClock(JsonbView(JsonbPGetDatum(jsonb)));
}

/// An antichain: no two of its clocks are comparable. They are normalized, and stand in `memory`.
class Frontier {
 public:
  explicit Frontier(MemoryContext memory) noexcept : memory_(memory) {}

  std::span<Jsonb* const> clocks() const noexcept { return {clocks_, size_}; }

  /// Takes `clock` in, unless it is before or equal to one that is there; drops and frees those that it is after.
  /// Raises. Throws InvalidClock.
  void add(const JsonbClock& clock) {
    clock.check();
    std::size_t kept = 0;
    for (std::size_t at = 0; at < size_; ++at) {
      if (at % comparisons_between_checks == 0) check_for_interrupts();
      Jsonb* const other = clocks_[at];
      const Order order = causality::compare(clock.cursor(), clock_of(other).cursor());
      // An antichain has none that this clock could be after then, so none was dropped so far.
      if (order == Order::before || order == Order::equal) return;
      if (order == Order::after) {
        pfree(other);
      } else {
        clocks_[kept++] = other;
      }
    }
    size_ = kept;
    append(normalized(clock));
  }

  /// Takes in a clock that is known to be concurrent to all others, normalized and to last as long as this. Raises.
  void append(Jsonb* clock) {
    if (size_ == capacity_) {
      capacity_ = std::max<std::size_t>(8, 2 * capacity_);
      const std::size_t bytes = capacity_ * sizeof(Jsonb*);
      clocks_ = static_cast<Jsonb**>(clocks_ == nullptr ? MemoryContextAllocHuge(memory_, bytes)
                                                        : repalloc_huge(clocks_, bytes));
    }
    clocks_[size_++] = clock;
  }

 private:
  static constexpr std::size_t comparisons_between_checks = 1024;

  Jsonb* normalized(const JsonbClock& clock) const {
    JsonbClockBuilder copy(clock.count());
    for (JsonbCursor at = clock.cursor(); !at.done(); at.next()) {
      if (const auto counter = at.counter(); counter > 0) copy.add(at.name(), counter);
    }
    const MemoryContext row_memory = MemoryContextSwitchTo(memory_);
    Jsonb* const jsonb = copy.finish();
    MemoryContextSwitchTo(row_memory);
    return jsonb;
  }

  MemoryContext memory_;
  Jsonb** clocks_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};
static_assert(std::is_trivially_destructible_v<Frontier>);

Frontier* begin_frontier(MemoryContext memory) {
  return new (MemoryContextAlloc(memory, sizeof(Frontier))) Frontier(memory);
}

/// The bytes of a clock among others: each begins aligned, as its parts want it.
std::size_t packed_size(const Jsonb* clock) {
  return INTALIGN(VARSIZE(clock));
}

}  // namespace

RACEWAY_FUNCTION(raceway_vclock_frontier_row) {
  auto* state = state_argument<Frontier>(fcinfo, 0);
  if (PG_ARGISNULL(1)) return state_result(fcinfo, state);
  const JsonbClock row(JsonbView(PG_GETARG_DATUM(1)));
  if (state == nullptr) state = begin_frontier(group_memory(fcinfo));
  state->add(row);
  return state_result(fcinfo, state);
}

RACEWAY_FUNCTION(raceway_vclock_frontier_combine) {
  auto* state = state_argument<Frontier>(fcinfo, 0);
  const auto* const other = state_argument<Frontier>(fcinfo, 1);
  if (other == nullptr) return state_result(fcinfo, state);
  if (state == nullptr) state = begin_frontier(group_memory(fcinfo));
  for (Jsonb* const clock : other->clocks()) state->add(clock_of(clock));
  return state_result(fcinfo, state);
}

RACEWAY_FUNCTION(raceway_vclock_frontier_serialize) {
  const auto clocks = state_argument<Frontier>(fcinfo, 0)->clocks();
  std::size_t size = VARHDRSZ;
  for (const Jsonb* const clock : clocks) size += packed_size(clock);
  if (size > MaxAllocSize) {
    throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the frontier is too large to be sent between parallel workers",
                   "It has " + std::to_string(clocks.size()) + " clocks that are concurrent to each other.",
                   "Set max_parallel_workers_per_gather to 0, or aggregate fewer rows at once.");
  }
  auto* const packed = static_cast<char*>(palloc0(size));
  SET_VARSIZE(packed, size);
  char* at = packed + VARHDRSZ;
  for (const Jsonb* const clock : clocks) {
    std::memcpy(at, clock, VARSIZE(clock));
    at += packed_size(clock);
  }
  PG_RETURN_BYTEA_P(packed);
}

RACEWAY_FUNCTION(raceway_vclock_frontier_deserialize) {
  char* const packed = reinterpret_cast<char*>(PG_GETARG_BYTEA_P(0));
  const char* const end = packed + VARSIZE(packed);
  Frontier* const state = begin_frontier(CurrentMemoryContext);
  for (char* at = packed + VARHDRSZ; at < end;) {
    auto* const clock = reinterpret_cast<Jsonb*>(at);
    state->append(clock);
    at += packed_size(clock);
  }
  return state_result(fcinfo, state);
}

RACEWAY_FUNCTION(raceway_vclock_frontier_final) {
  const auto clocks = state_argument<Frontier>(fcinfo, 0)->clocks();
  auto* const sorted = static_cast<Datum*>(MemoryContextAllocHuge(CurrentMemoryContext, clocks.size() * sizeof(Datum)));
  std::transform(clocks.begin(), clocks.end(), sorted, [](Jsonb* clock) { return JsonbPGetDatum(clock); });
  std::sort(sorted, sorted + clocks.size(), [](Datum a, Datum b) {
    return causality::compare_in_total_order(clock_of(DatumGetJsonbP(a)).cursor(),
                                             clock_of(DatumGetJsonbP(b)).cursor()) < 0;
  });
  PG_RETURN_ARRAYTYPE_P(construct_array(sorted, static_cast<int>(clocks.size()), JSONBOID, -1, false, TYPALIGN_INT));
}

}  // namespace raceway::postgres
