// Accepts connections, watches those that no thread serves, and hands requests to the pool.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/acceptor.hpp"
#include "http/codec.hpp"
#include "http/connection.hpp"
#include "http/descriptor.hpp"
#include "http/framing.hpp"
#include "http/pool.hpp"
#include "http/server.hpp"

namespace raceway::server::http {

/// run() and everything private belong to one thread.
class Door {
 public:
  /// Serves one request; called on the pool's threads.
  using Serve = std::function<Outcome(Connection&, const Framing&)>;

  /// `draining` is set here once stop() was called, for `serve` to see. Throws std::system_error.
  Door(const Limits& limits, const Hooks& hooks, SpareBuffers& buffers, Serve serve, std::atomic<bool>& draining);
  ~Door();

  /// `listener` listens, without blocking. Returns after stop(), when no connection is left.
  void run(Descriptor listener);
  /// From any thread and from signal handlers.
  void stop() noexcept;

  Counters counters() const;

 private:
  enum class State { reading, serving, lingering };
  enum class Head { not_there, good, refused };
  struct Client {
    Client(int socket, std::string peer, const Limits& limits, SpareBuffers& buffers)
        : connection(socket, std::move(peer), limits, buffers) {}
    Connection connection;
    State state = State::reading;
    Clock::time_point deadline{};     ///< when not served
    bool begun = false;               ///< a request's first byte is there
    bool ended = false;               ///< nothing more will come
    std::size_t scanned = 0;          ///< for find_head_end
    std::optional<Framing> framing;   ///< the head is there and good
    std::optional<BodyDecoder> body;  ///< follows the body as it comes
    std::size_t body_seen = 0;        ///< bytes of it that went through `body`
    std::list<Client>::iterator self;
  };
  struct Served {
    Client* client;
    Outcome outcome;
  };

  void watch(Client& client);
  void wake() noexcept;
  void accept_all();
  void admit(Acceptor::Arrival arrival);
  void on_event(Client& client);
  void drop_bytes(Client& client);
  void advance(Client& client);
  void skip_empty_lines(Client& client);
  void rest(Client& client);
  bool proceed(Client& client);
  Head read_head(Client& client);
  bool is_ready(Client& client);
  void wait_for_more(Client& client);
  void dispatch(Client& client);
  void take_back();
  void settle(Client& client, Outcome outcome);
  void refuse(Client& client, int status, std::string_view reason);
  void linger(Client& client);
  void close(Client& client);
  void sweep();
  void expire(Client& client);
  void start_draining();
  void cut_off();

  const Limits& limits_;
  const Hooks& hooks_;
  SpareBuffers& buffers_;
  const Serve serve_;
  std::atomic<bool>& draining_;
  Descriptor epoll_;
  Descriptor wake_;
  Acceptor acceptor_;
  std::atomic<bool> stop_asked_{false};
  Clock::time_point drain_deadline_{};
  bool cut_off_ = false;

  std::list<Client> clients_;
  std::size_t lingering_ = 0;
  std::mutex served_mutex_;
  std::vector<Served> served_;

  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> refused_connections_{0};
  std::atomic<std::uint64_t> refused_requests_{0};
  std::atomic<std::uint64_t> timeouts_{0};
  std::atomic<std::size_t> open_{0};
  ThreadPool pool_;  ///< last: its threads end before the rest goes
};

}  // namespace raceway::server::http
