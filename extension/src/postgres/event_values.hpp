// What of an event stands in its row alone: large, and wanted of few events.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "postgres/boundary.hpp"
#include "postgres/result_rows.hpp"
#include "postgres/trace_reading.hpp"

extern "C" {
#include "executor/spi.h"
}

namespace raceway::postgres {

struct EventValues {
  Value vector_clock;  ///< as it was sent
  Value old_value;
  Value new_value;
};

/// Reads them again, in the snapshot of the first time. Throws PostgresError.
class EventValuesReader {
 public:
  /// Refers to the trace. To be used while SPI is connected, and no other answer of SPI is in use.
  explicit EventValuesReader(const TraceReading& trace) : trace_(trace) {}

  /// Those of these events, in their order; they live until the next call.
  std::vector<EventValues> read(std::span<const std::uint32_t> events);

 private:
  const TraceReading& trace_;
  SPITupleTable* rows_ = nullptr;
};

}  // namespace raceway::postgres
