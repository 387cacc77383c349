// A call to stop that reaches threads which wait for a socket.
#pragma once

#include <atomic>

namespace raceway::server::postgres {

/// Raised once, it stays so. Thread-safe.
class Interrupt {
 public:
  /// Throws std::system_error where the process has too many files open.
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  void raise() noexcept;
  bool raised() const noexcept { return raised_; }

  /// For poll(): readable from raise() on. Nobody may read from it.
  int descriptor() const noexcept { return descriptor_; }

 private:
  const int descriptor_;
  std::atomic<bool> raised_{false};
};

}  // namespace raceway::server::postgres
