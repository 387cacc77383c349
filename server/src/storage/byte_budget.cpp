#include "storage/byte_budget.hpp"

#include "storage/storage.hpp"

namespace raceway::server::storage {

ByteBudget& ByteBudget::none() {
  static ByteBudget unlimited_budget;
  return unlimited_budget;
}

void ByteBudget::Hold::grow(std::size_t bytes) {
  if (budget_ == nullptr) return;
  const std::size_t before = budget_->in_use_.fetch_add(bytes, std::memory_order_relaxed);
  if (before > budget_->most_ || bytes > budget_->most_ - before) {
    budget_->in_use_.fetch_sub(bytes, std::memory_order_relaxed);
    budget_->refusals_.fetch_add(1, std::memory_order_relaxed);
    throw Unavailable(bytes_ + bytes > budget_->most_
                          ? "this alone takes more memory than all requests together may hold "
                            "(server.max_inflight_bytes is " +
                                std::to_string(budget_->most_) + ")"
                          : "requests hold as much memory as they may at the moment (server.max_inflight_bytes)");
  }
  bytes_ += bytes;
}

void ByteBudget::Hold::shrink(std::size_t bytes) noexcept {
  if (budget_ == nullptr) return;
  budget_->in_use_.fetch_sub(bytes, std::memory_order_relaxed);
  bytes_ -= bytes;
}

}  // namespace raceway::server::storage
