// The sockets that listen, and the connections that come in by them.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "http/descriptor.hpp"

namespace raceway::server::http {

/// Of one thread: that of the epoll it is watched by. Throws std::system_error where epoll does not take the socket.
class Acceptor {
 public:
  using Clock = std::chrono::steady_clock;
  struct Arrival {
    Descriptor socket;  ///< does not block
    std::string peer;   ///< its address as a number, "unknown" where it has none
    bool last = false;  ///< there was no descriptor left but the spare one
  };

  /// Takes `listeners`, which listen without blocking, and has `epoll` report with the acceptor's own address whenever
  /// somebody waits. Once. `epoll` and the acceptor stay where they are until stop().
  void start(std::vector<Descriptor> listeners, int epoll);

  /// The next one that waits; nothing where there is none, or where it cannot be taken.
  std::optional<Arrival> next(Clock::time_point now);

  /// Whether next() had no descriptor left for one.
  bool out_of_files() const { return out_of_files_; }

  /// Then: the same by a descriptor that is kept for telling one so. Where that is not there, nobody is reported for a
  /// short while, as when the system has no memory: they would be reported again and again.
  std::optional<Arrival> next_by_spare(Clock::time_point now);

  /// To be called once such an arrival is closed, and from time to time: gets a spare descriptor again, and ends such a
  /// while when it is over.
  void resume(Clock::time_point now);

  /// Closes the sockets: whoever comes from now on is refused by the kernel.
  void stop() { listeners_.clear(); }

 private:
  void watch();
  std::optional<Arrival> accept() const;
  static std::optional<Arrival> accept_from(const Descriptor& listener);
  void pause(Clock::time_point now);

  std::vector<Descriptor> listeners_;
  Descriptor spare_;
  bool out_of_files_ = false;
  int epoll_ = -1;
  std::optional<Clock::time_point> paused_until_;
};

}  // namespace raceway::server::http
