// The socket that listens, and the connections that come in by it.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <optional>
#include <string>

#include "http/descriptor.hpp"

namespace raceway::server::http {

/// Of one thread: that of the epoll it is watched by. Throws std::system_error where epoll does not take the socket.
class Acceptor {
 public:
  using Clock = std::chrono::steady_clock;
  struct Arrival {
    Descriptor socket;  ///< does not block
    std::string peer;   ///< its address as a number, "unknown" where it has none
    bool last = false;  ///< the process has no descriptor left but that which it kept for telling so
  };

  /// Takes `listener`, which listens without blocking, and has `epoll` report with the acceptor's own address whenever
  /// somebody waits. Once. `epoll` and the acceptor stay where they are until stop().
  void start(Descriptor listener, int epoll);

  /// The next one that waits; nothing where there is none. Where the system cannot take it, too, and then nobody is
  /// reported for a short while: they would be reported again and again.
  std::optional<Arrival> next(Clock::time_point now);

  /// To be called after what came of a last arrival, and from time to time: keeps a descriptor for the next, and ends such
  /// a while when it is over.
  void resume(Clock::time_point now);

  /// Closes the socket: whoever comes from now on is refused by the kernel.
  void stop() { listener_ = Descriptor(); }

 private:
  void watch();
  Descriptor accept(sockaddr_storage& address, socklen_t& size) const;

  Descriptor listener_;
  Descriptor spare_;
  int epoll_ = -1;
  std::optional<Clock::time_point> paused_until_;
};

}  // namespace raceway::server::http
