// Buffers that requests are read into, kept from one request for the next: asking the system for fresh memory costs
// more than what is read into it.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace raceway::server::http {

/// Thread-safe.
class SpareBuffers {
 public:
  /// A buffer, empty where none was to spare, else as it was given: what it holds means nothing, but is memory that
  /// need not be cleared before it is written to.
  std::string take();
  /// Takes a buffer that is not needed any more. It is freed where it is so small that it
  /// is no help, or so large, or one of so many, that it is not worth its memory.
  void give(std::string buffer) noexcept;

  /// What the buffers kept take, at most.
  static constexpr std::size_t most_bytes = std::size_t{8} << 20U;
  static constexpr std::size_t smallest = std::size_t{16} << 10U;
  static constexpr std::size_t largest = std::size_t{2} << 20U;

 private:
  std::mutex mutex_;
  std::vector<std::string> buffers_;
  std::size_t bytes_ = 0;
};

}  // namespace raceway::server::http
