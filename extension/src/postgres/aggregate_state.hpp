// What the aggregates share: where their states live, and how these are passed. A state lives in the memory of the
// group that is aggregated and has no destructor, so PostgreSQL is called without a guard around it.
#pragma once

#include <stdexcept>

#include "postgres/boundary.hpp"

namespace raceway::postgres {

/// The memory that lasts as long as the group that is aggregated.
inline MemoryContext group_memory(FunctionCallInfo fcinfo) {
  MemoryContext memory = nullptr;
  if (AggCheckCallContext(fcinfo, &memory) == 0) throw std::logic_error("called outside of an aggregate");
  return memory;
}

/// The aggregate's state, or nullptr where no row has come yet.
template <class State>
State* state_argument(FunctionCallInfo fcinfo, int n) {
  return PG_ARGISNULL(n) ? nullptr : reinterpret_cast<State*>(PG_GETARG_POINTER(n));
}

template <class State>
Datum state_result(FunctionCallInfo fcinfo, State* state) {
  if (state == nullptr) PG_RETURN_NULL();
  PG_RETURN_POINTER(state);
}

}  // namespace raceway::postgres
