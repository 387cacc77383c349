// The events of one trace, read from the table with the rights of whoever asks, and what the core makes of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "causality/event_table.hpp"
#include "causality/happened_before.hpp"
#include "causality/locksets.hpp"
#include "causality/names.hpp"
#include "postgres/analysis_memory.hpp"
#include "postgres/boundary.hpp"

namespace raceway::postgres {

/// To be used while SPI is connected. Everything throws PostgresError where PostgreSQL raises, and SqlError: P0002 for
/// a trace or an event that the caller does not see, 54000 where memory is not enough. Events are ranks of the table.
class TraceReading {
 public:
  /// Reads all of it. `trace` is referred to.
  explicit TraceReading(std::string_view trace);
  TraceReading(const TraceReading&) = delete;
  TraceReading& operator=(const TraceReading&) = delete;
  ~TraceReading() = default;

  std::string_view trace() const { return trace_; }
  const causality::EventTable& events() const { return events_; }
  const causality::HappenedBefore& happened() const { return *happened_; }
  /// Worked out when it is first asked for.
  const causality::LockSets& locks();

  /// The id of an event; empty for none.
  std::string_view id(std::uint32_t event) const {
    return event == causality::none ? std::string_view() : ids_[number_of(events_[event].id)];
  }
  /// The earliest event of that id.
  std::uint32_t find(std::string_view event_id) const;
  /// The text behind a number of the table.
  std::string_view name(std::uint32_t number) const {
    return number == causality::none ? std::string_view() : events_.names()[number];
  }

  /// Says that results take so much besides, from now on.
  void keep_results(std::size_t bytes) { memory_.keep(read_bytes_ + bytes); }

 private:
  // The number of an id in `ids_`, where the empty text has 0, which stands for no id in the table.
  static std::uint64_t key_of(std::uint32_t number) { return std::uint64_t{number} + 1; }
  static std::uint32_t number_of(std::uint64_t key) { return static_cast<std::uint32_t>(key - 1); }

  void read_rows();
  void require_trace() const;

  std::string_view trace_;
  AnalysisMemory memory_;
  std::size_t read_bytes_ = 0;
  causality::Names ids_;  // of events, and of their parents
  causality::EventTable events_;
  std::optional<causality::HappenedBefore> happened_;
  std::optional<causality::LockSets> locks_;
};

}  // namespace raceway::postgres
