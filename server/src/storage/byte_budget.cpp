#include "storage/byte_budget.hpp"

#include "storage/storage.hpp"

namespace raceway::server::storage {

ByteBudget& ByteBudget::none() {
  static ByteBudget unlimited_budget;
  return unlimited_budget;
}

void ByteBudget::Hold::grow(std::size_t bytes) {
  if (budget_ == nullptr) return;
  const std::size_t all = budget_->most_;
  const bool is_small = bytes <= small && bytes_ + bytes <= small;
  const std::size_t most = is_small ? all : all - all / 8;
  const std::size_t before = budget_->in_use_.fetch_add(bytes, std::memory_order_relaxed);
  if (before > most || bytes > most - before) {
    budget_->in_use_.fetch_sub(bytes, std::memory_order_relaxed);
    budget_->refusals_.fetch_add(1, std::memory_order_relaxed);
    throw Unavailable(bytes > most || bytes_ + bytes > most
                          ? "this alone takes more memory than one request may (server.max_inflight_bytes is " +
                                std::to_string(all) + ")"
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
