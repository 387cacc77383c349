// What ties the events of a trace to each other, apart from the events: ids, parents, times and clocks.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "causality/causal_order.hpp"
#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"

namespace raceway::server::analysis {

/// Not thread-safe.
class TraceLinks {
 public:
  /// Reads the events once. Counts what it takes, and what ordering it will take, in `budget`.
  TraceLinks(storage::TraceEvents& events, storage::ByteBudget& budget);

  /// In the order of the events' places. Refers to this.
  std::span<const causality::TraceEvent> events() const { return events_; }

 private:
  static constexpr std::size_t block_size = std::size_t{64} << 10U;
  static constexpr std::size_t recent_ids = 8;

  void add(const wire::Row& row);
  char* room_for(std::size_t bytes);
  std::string_view keep(std::string_view text);
  std::string_view keep_parent(std::string_view id);
  std::string_view keep_name(std::string_view name, std::string_view guess);
  std::span<const causality::Component> keep_clock(std::span<const causality::Component> clock);

  storage::ByteBudget::Hold hold_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;  // in the last block
  std::size_t left_ = 0;
  std::vector<causality::TraceEvent> events_;
  std::set<std::string_view> names_;
};

}  // namespace raceway::server::analysis
