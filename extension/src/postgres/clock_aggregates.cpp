// The aggregates vclock_merge_agg() and vclock_meet_agg().
#include <algorithm>
#include <span>
#include <type_traits>

#include "causality/clock_algebra.hpp"
#include "postgres/aggregate_state.hpp"
#include "postgres/jsonb_clock.hpp"

namespace raceway::postgres {
namespace {

using causality::Component;
using causality::Counter;
using causality::SpanCursor;

/// A clock that grows or shrinks row by row: components in order, without zeros, with names of its own. Its functions
/// raise where memory runs out.
class RunningClock {
 public:
  template <causality::ClockCursor Cursor>
  RunningClock(MemoryContext memory, Cursor first) : memory_(memory) {
    merge(first);
  }

  std::span<const Component> components() const { return {components_, size_}; }
  SpanCursor cursor() const { return {components_, components_ + size_}; }

  /// Most rows bring no new component: their counters are raised in place.
  template <causality::ClockCursor Cursor>
  void merge(Cursor other) {
    std::size_t missing = 0;
    std::size_t at = 0;
    for (Cursor theirs = other; !theirs.done(); theirs.next()) {
      const Counter counter = theirs.counter();
      if (counter == 0) continue;
      const std::string_view name = theirs.name();
      auto names = std::strong_ordering::greater;
      while (at < size_ && (names = causality::compare_names(components_[at].name, name)) < 0) ++at;
      if (at < size_ && names == 0) {
        components_[at].counter = std::max(components_[at].counter, counter);
      } else {
        ++missing;
      }
    }
    if (missing > 0) add_missing(other, missing);
  }

  template <causality::ClockCursor Cursor>
  void meet(Cursor other) {
    std::size_t kept = 0;
    causality::walk_together(cursor(), other, [&](std::string_view name, Counter mine, Counter theirs) {
      if (mine > 0 && theirs > 0) components_[kept++] = {name, std::min(mine, theirs)};
      return true;
    });
    size_ = kept;
  }

 private:
  template <causality::ClockCursor Cursor>
  void add_missing(Cursor other, std::size_t missing) {
    Component* const old = components_;
    auto* const grown = static_cast<Component*>(MemoryContextAllocHuge(memory_, (size_ + missing) * sizeof(Component)));
    std::size_t size = 0;
    causality::walk_together(cursor(), other, [&](std::string_view name, Counter mine, Counter theirs) {
      if (mine > 0 || theirs > 0) grown[size++] = {mine > 0 ? name : own(name), std::max(mine, theirs)};
      return true;
    });
    components_ = grown;
    size_ = size;
    if (old != nullptr) pfree(old);
  }

  std::string_view own(std::string_view name) const {
    if (name.empty()) return {};
    auto* const copy = static_cast<char*>(MemoryContextAlloc(memory_, name.size()));
    std::memcpy(copy, name.data(), name.size());
    return {copy, name.size()};
  }

  MemoryContext memory_;
  Component* components_ = nullptr;
  std::size_t size_ = 0;
};
static_assert(std::is_trivially_destructible_v<RunningClock>);

template <causality::ClockCursor Cursor>
RunningClock* begin_clock(MemoryContext memory, Cursor first) {
  return new (MemoryContextAlloc(memory, sizeof(RunningClock))) RunningClock(memory, first);
}

/// The step for one more row; `fold(state, cursor)` takes it in.
template <class Fold>
Datum take_row(FunctionCallInfo fcinfo, Fold fold) {
  auto* state = state_argument<RunningClock>(fcinfo, 0);
  if (PG_ARGISNULL(1)) return state_result(fcinfo, state);
  const JsonbClock row(JsonbView(PG_GETARG_DATUM(1)));
  if (state == nullptr) {
    state = begin_clock(group_memory(fcinfo), row.cursor());
  } else {
    fold(*state, row.cursor());
  }
  return state_result(fcinfo, state);
}

/// The step for what another worker has gathered.
template <class Fold>
Datum take_state(FunctionCallInfo fcinfo, Fold fold) {
  auto* state = state_argument<RunningClock>(fcinfo, 0);
  const auto* const other = state_argument<RunningClock>(fcinfo, 1);
  if (other == nullptr) return state_result(fcinfo, state);
  if (state == nullptr) {
    state = begin_clock(group_memory(fcinfo), other->cursor());
  } else {
    fold(*state, other->cursor());
  }
  return state_result(fcinfo, state);
}

constexpr auto fold_merge = [](RunningClock& state, auto cursor) { state.merge(cursor); };
constexpr auto fold_meet = [](RunningClock& state, auto cursor) { state.meet(cursor); };

}  // namespace

RACEWAY_FUNCTION(raceway_vclock_merge_row) {
  return take_row(fcinfo, fold_merge);
}

RACEWAY_FUNCTION(raceway_vclock_meet_row) {
  return take_row(fcinfo, fold_meet);
}

RACEWAY_FUNCTION(raceway_vclock_merge_combine) {
  return take_state(fcinfo, fold_merge);
}

RACEWAY_FUNCTION(raceway_vclock_meet_combine) {
  return take_state(fcinfo, fold_meet);
}

RACEWAY_FUNCTION(raceway_vclock_running_final) {
  return JsonbPGetDatum(jsonb_of(state_argument<RunningClock>(fcinfo, 0)->components()));
}

/// Between workers a running clock travels as the jsonb that it would end as; both are a varlena.
RACEWAY_FUNCTION(raceway_vclock_running_serialize) {
  PG_RETURN_BYTEA_P(jsonb_of(state_argument<RunningClock>(fcinfo, 0)->components()));
}

RACEWAY_FUNCTION(raceway_vclock_running_deserialize) {
  const JsonbClock clock(JsonbView(PG_GETARG_DATUM(0)));
  return state_result(fcinfo, begin_clock(CurrentMemoryContext, clock.cursor()));
}

}  // namespace raceway::postgres
