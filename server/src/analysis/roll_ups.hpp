// Digests of the newest traces, brought up to date when they are asked for. Both backends are read the same way, and
// nothing is written.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "analysis/trace_digest.hpp"
#include "causality/names.hpp"
#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"

namespace raceway::server::analysis {

struct DigestedTrace {
  storage::TraceState state;
  TraceDigest digest;
};

using Digests = std::map<std::string, std::unique_ptr<DigestedTrace>, std::less<>>;  // by trace
/// Durations by the numbers of service and operation.
using DurationsByOperation = std::map<std::pair<std::uint32_t, std::uint32_t>, DurationSums>;

/// What an answer is made from. Refers to the roll-ups.
struct RolledUp {
  std::vector<const DigestedTrace*> traces;  ///< newest first
  const Digests& by_id;                      ///< the same
  const DurationsByOperation& durations;     ///< of all of them
  const causality::Names& names;
  std::uint64_t pending = 0;  ///< traces that are not in yet, or are older than those that are kept
  storage::TraceEvents::Moment as_of;
};

/// Thread-safe; one at a time is answered.
class RollUps {
 public:
  /// Both outlive it.
  RollUps(storage::Storage& storage, storage::ByteBudget& budget) : storage_(storage), budget_(budget) {}

  /// Digests what is new or has changed, for some two seconds at most, then calls `use`. What there is no memory for
  /// now is pending. Throws Unavailable where the storage does not answer.
  void read(const std::function<void(const RolledUp&)>& use);

  /// The same for whoever does not wait for others: what is small is digested, for a fifth of a second at most, and
  /// where somebody else is at it for as long, `use` is not called. Answers whether it was.
  bool peek(const std::function<void(const RolledUp&)>& use);

  /// Of the newest traces so many are kept.
  static constexpr std::uint64_t most_traces = 100'000;
  static constexpr std::size_t most_bytes = std::size_t{256} << 20U;

 private:
  /// What one refresh may take.
  struct Limit {
    std::chrono::milliseconds time;
    std::uint64_t events_a_trace;
  };

  void use_refreshed(const std::function<void(const RolledUp&)>& use, const Limit& limit);
  std::uint64_t refresh(const std::vector<storage::TraceState>& states, const Limit& limit);
  bool digest(const storage::TraceState& state);
  void keep(std::unique_ptr<DigestedTrace> digested);
  void forget(Digests::iterator known);

  storage::Storage& storage_;
  storage::ByteBudget& budget_;
  std::timed_mutex mutex_;
  causality::Names names_;
  Digests digests_;
  DurationsByOperation durations_;
  std::size_t bytes_ = 0;
};

}  // namespace raceway::server::analysis
