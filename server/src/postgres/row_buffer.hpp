// Rows of events as they come from the database, packed behind each other.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"

namespace raceway::server::postgres {

/// Rows of one trace. Takes little more than their texts.
class RowBuffer final : public storage::TraceEvents {
 public:
  RowBuffer(Moment as_of, storage::ByteBudget& budget) : TraceEvents(as_of), hold_(budget.hold()) {}

  /// Throws Unavailable where the budget has no room for it.
  void append(const wire::Row& row);
  bool empty() const { return places_.empty(); }

  std::uint32_t count() const override { return static_cast<std::uint32_t>(places_.size()); }
  bool each(const Visit& visit) override;
  bool each_of(std::span<const std::uint32_t> places, const Visit& visit) override;

 private:
  static constexpr std::size_t block_size = std::size_t{256} << 10U;

  wire::Row row(std::uint32_t place) const;
  char* room_for(std::size_t bytes);

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;  // in the last block
  std::size_t left_ = 0;
  std::vector<const char*> places_;
  storage::ByteBudget::Hold hold_;
};

}  // namespace raceway::server::postgres
