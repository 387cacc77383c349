// Reading bodies of events within what a request may take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <string_view>

#include "storage/byte_budget.hpp"
#include "wire/allowance.hpp"
#include "wire/batch.hpp"

namespace raceway::server::storage {

/// What those who read bodies may take. The budget outlives them.
struct Intake {
  ByteBudget* budget = &ByteBudget::none();
  std::size_t most_events = std::numeric_limits<std::uint32_t>::max();  ///< of a body
};

/// Memory of the heap, as long as the budget has it; allocate() throws Unavailable where it has not. Not thread-safe.
class BudgetedMemory final : public std::pmr::memory_resource {
 public:
  explicit BudgetedMemory(ByteBudget& budget) : hold_(budget.hold()) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* place, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  ByteBudget::Hold hold_;
};

/// Reads the bodies of one call; outlives the batches that it answers. Not thread-safe.
class BodyReading {
 public:
  explicit BodyReading(const Intake& intake);

  /// Throws wire::BodyError, wire::TooManyEvents among it, and Unavailable where the budget has not what it takes.
  wire::Batch read(std::string_view body, wire::MetadataForm form);
  /// What takes a batch's place, so that its views end.
  wire::Batch nothing() { return wire::Batch(allowance_); }

 private:
  const std::size_t most_events_;
  BudgetedMemory memory_;
  wire::Allowance allowance_;
};

}  // namespace raceway::server::storage
