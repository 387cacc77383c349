// What lists of traces show and select by, and what only a trace's events tell: kept for the traces that were asked for
// last, since it stays true for as long as a trace does not change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"

namespace raceway::server::analysis {

/// Of a trace as its state says.
struct TraceFacts {
  struct Details {
    std::string name;  ///< of its earliest event; of several that with the smallest id
    std::uint64_t races = 0;
    bool errors = false;
    bool missing_parent = false;           ///< some event names one that is not there
    std::vector<std::uint64_t> variables;  ///< hashes of their names, sorted

    bool has_variable(std::string_view variable) const;
  };

  storage::TraceState state;
  std::vector<std::string> services;
  std::optional<Details> details;  ///< nothing where it would take too much to look at the trace's events

  std::size_t bytes() const;
};

/// Thread-safe.
class FactsOfTraces {
 public:
  using Facts = std::shared_ptr<const TraceFacts>;

  /// Larger traces have no details.
  static constexpr std::uint64_t most_events = 10'000;

  /// Both outlive it.
  FactsOfTraces(storage::Storage& storage, storage::ByteBudget& budget) : storage_(storage), budget_(budget) {}

  /// Of each trace, null where it went meanwhile; what has grown since `states` is told as it is now. Takes what is
  /// read off `events_left`: where a trace has more, it has no details, or with `or_none` there is nothing of it and
  /// those behind it.
  std::vector<Facts> of(const std::vector<storage::TraceState>& states, std::uint64_t& events_left, bool or_none);

 private:
  static constexpr std::size_t most_bytes = std::size_t{16} << 20U;

  Facts known(const storage::TraceState& state);
  void keep(const Facts& facts);
  TraceFacts::Details details_of(storage::TraceEvents& events) const;

  storage::Storage& storage_;
  storage::ByteBudget& budget_;
  std::mutex mutex_;
  std::list<Facts> used_;  // those used last first
  std::map<std::string_view, std::list<Facts>::iterator> by_id_;
  std::size_t bytes_ = 0;
};

}  // namespace raceway::server::analysis
