// What reading may take: memory, which is counted and may be limited, and time: now and then it is asked whether to
// go on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <new>

namespace raceway::wire {

/// More memory was asked for than is allowed.
class OverAllowance : public std::bad_alloc {
 public:
  const char* what() const noexcept override { return "more memory than reading may take"; }
};

/// Memory is taken by blocks of this size where more is needed than a few. It pays to keep one for the next time: fresh
/// pages cost more than what is written into them.
inline constexpr std::size_t memory_block = std::size_t{1} << 20U;

/// Where reading takes its memory from unless it is told otherwise: the heap. Some blocks are kept for whoever comes
/// next. Thread-safe.
std::pmr::memory_resource& heap_memory();

/// Hands out memory of a source up to a limit, and calls a check every few steps. Not thread-safe.
class Allowance final : public std::pmr::memory_resource {
 public:
  /// Whether to go on: it throws where not, and what it throws ends the reading.
  using Check = void (*)();

  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  explicit Allowance(std::pmr::memory_resource& source = heap_memory(), Check check = nullptr)
      : source_(source), check_(check) {}
  Allowance(const Allowance&) = delete;
  Allowance& operator=(const Allowance&) = delete;
  ~Allowance() override = default;

  /// Where the memory comes from; what is taken there directly is not counted.
  std::pmr::memory_resource& source() const { return source_; }

  /// From now on allocate() throws OverAllowance where more than `bytes` would be in use.
  void set_limit(std::size_t bytes) { limit_ = bytes; }
  void raise_limit(std::size_t bytes) {
    if (limit_ != unlimited) limit_ += bytes;
  }
  /// Counts what was taken from the source itself.
  void lower_limit(std::size_t bytes) {
    if (limit_ != unlimited) limit_ -= std::min(limit_, bytes);
  }
  std::size_t limit() const { return limit_; }
  std::size_t in_use() const { return in_use_; }
  /// How much more may be taken.
  std::size_t left() const { return limit_ > in_use_ ? limit_ - in_use_ : 0; }

  /// A step has the cost of looking at a few bytes.
  void step() {
    if (--steps_left_ == 0) pause();
  }
  void steps(std::size_t count) {
    if (count >= steps_left_) {
      pause();
    } else {
      steps_left_ -= static_cast<std::uint32_t>(count);
    }
  }

 private:
  /// Some ten microseconds.
  static constexpr std::uint32_t steps_between_checks = 4096;

  void pause();
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* place, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::pmr::memory_resource& source_;
  Check check_;
  std::uint32_t steps_left_ = steps_between_checks;
  std::size_t in_use_ = 0;
  std::size_t limit_ = unlimited;
};

}  // namespace raceway::wire
