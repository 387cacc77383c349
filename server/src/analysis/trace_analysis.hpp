// A trace that was read from a backend, and what the core makes of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "causality/event_table.hpp"
#include "causality/happened_before.hpp"
#include "causality/locksets.hpp"
#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"
#include "wire/json.hpp"

namespace raceway::server::analysis {

/// Is shown each row, in the order of their places, while they are read for the analysis; what it takes it counts
/// itself.
using SeeRow = std::function<void(const wire::Row& row, const wire::Json& metadata)>;

/// Refers to the events, which outlive it. What it takes is of `budget`; the constructor throws Unavailable where that
/// has not so much, and so does what is asked of it later. Not thread-safe.
class TraceAnalysis {
 public:
  TraceAnalysis(storage::TraceEvents& events, storage::ByteBudget& budget, const SeeRow& see = {});
  TraceAnalysis(const TraceAnalysis&) = delete;
  TraceAnalysis& operator=(const TraceAnalysis&) = delete;
  ~TraceAnalysis() = default;

  storage::TraceEvents& rows() { return rows_; }
  const storage::TraceEvents& rows() const { return rows_; }
  const causality::EventTable& events() const { return *table_; }
  const causality::HappenedBefore& happened() const { return *happened_; }
  /// Worked out when it is first asked for.
  const causality::LockSets& locks();

  /// So much is taken beside for the answer that is being made, until it is said again.
  void take_beside(std::size_t bytes) { beside_hold_.set(bytes); }

  /// The places of the events in the order in which a trace is told: causes before effects.
  std::vector<std::uint32_t> places() const;
  /// The event of that id.
  std::optional<std::uint32_t> find(std::string_view event_id);

 private:
  void read_rows(const SeeRow& see);

  storage::TraceEvents& rows_;
  storage::ByteBudget::Hold hold_;         // for what stays
  storage::ByteBudget::Hold walk_hold_;    // for what a walk takes
  storage::ByteBudget::Hold beside_hold_;  // and what is worked out in it
  std::optional<causality::EventTable> table_;
  std::optional<causality::HappenedBefore> happened_;
  std::optional<causality::LockSets> locks_;
};

}  // namespace raceway::server::analysis
