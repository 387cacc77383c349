// The rules of the SDK's form that the general way and the learned layouts share. Throws EventError with a reason.
#pragma once

#include "wire/arena.hpp"
#include "wire/event.hpp"

namespace raceway::wire {

/// Fields of a variant; nullptr where it has none of that name.
struct VariantPlace {
  const Json* location = nullptr;
  const Json* file = nullptr;
  const Json* line = nullptr;
};

/// Sets the column, and answers whether the column alone gives the variant's `location` back.
bool set_location(Event& row, const VariantPlace& place, Arena& arena);

/// Sets the column from the variant's duration_ms and the metadata's duration_ns, which counts for more; nullptr where
/// there is none.
void set_duration(Event& row, const Json* duration_ms, const Json* duration_ns);

}  // namespace raceway::wire
