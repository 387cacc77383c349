// How many bytes all requests together may hold at a time: bodies, what they inflate to and are read into, traces that
// are being read, answers. A client that asks for more than is left is told to come again; it takes nothing from the
// others.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace raceway::server::storage {

/// Thread-safe. Outlives its holds.
class ByteBudget {
 public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// Holds of more bytes leave the last eighth of the budget to the others: whoever asks for little is served while
  /// some hold all that they can get.
  static constexpr std::size_t small = std::size_t{2} << 20U;

  explicit ByteBudget(std::size_t most = unlimited) : most_(most) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  /// What one request holds, given back when it goes. Of one thread at a time. One that was not taken of a budget
  /// counts nothing.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Hold& operator=(Hold&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Hold() { shrink(bytes_); }

    std::size_t bytes() const { return bytes_; }
    /// Throws Unavailable where the budget has not so much left; then it is as before.
    void grow(std::size_t bytes);
    /// By no more than it has.
    void shrink(std::size_t bytes) noexcept;
    /// From now on so many, whatever it was before. As grow().
    void set(std::size_t bytes) { bytes > bytes_ ? grow(bytes - bytes_) : shrink(bytes_ - bytes); }

   private:
    friend class ByteBudget;
    explicit Hold(ByteBudget& budget) : budget_(&budget) {}

    ByteBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  /// One without a limit, for whoever is told of none.
  static ByteBudget& none();

  /// A hold of nothing yet.
  Hold hold() { return Hold(*this); }

  std::size_t most() const { return most_; }
  std::size_t in_use() const { return in_use_.load(std::memory_order_relaxed); }
  /// How often there was not enough left, since the start.
  std::uint64_t refusals() const { return refusals_.load(std::memory_order_relaxed); }

 private:
  const std::size_t most_;
  std::atomic<std::size_t> in_use_{0};
  std::atomic<std::uint64_t> refusals_{0};
};

}  // namespace raceway::server::storage
