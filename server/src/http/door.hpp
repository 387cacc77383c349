// Accepts connections, watches those that no thread serves, and hands requests to the pool.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/acceptor.hpp"
#include "http/allowance.hpp"
#include "http/codec.hpp"
#include "http/connection.hpp"
#include "http/crowd.hpp"
#include "http/descriptor.hpp"
#include "http/framing.hpp"
#include "http/pool.hpp"
#include "http/server.hpp"
#include "observability/rarely.hpp"

namespace raceway::server::http {

/// run() and everything private belong to one thread.
class Door {
 public:
  /// Serves one request; called on the pool's threads.
  using Serve = std::function<Outcome(Connection&, const Framing&, std::unique_ptr<PendingRequest>&)>;

  /// `draining` is set here once stop() was called, for `serve` to see. Throws std::system_error.
  Door(const Limits& limits, const Hooks& hooks, const FairShare& share, SpareBuffers& buffers, Serve serve,
       std::atomic<bool>& draining);
  ~Door();

  /// `listeners` listen, without blocking. Returns after stop(), when no connection is left.
  void run(std::vector<Descriptor> listeners);
  /// From any thread and from signal handlers.
  void stop() noexcept;

  Counters counters() const;

 private:
  enum class State { reading, serving, lingering };
  enum class Head { not_there, good, refused };
  struct Client : Crowd::Guest {
    Client(Descriptor socket, std::string peer, const Limits& limits, SpareBuffers& buffers)
        : connection(std::move(socket), std::move(peer), limits, buffers) {}
    Connection connection;
    State state = State::reading;
    Clock::time_point deadline{};             ///< when not served
    bool begun = false;                       ///< a request's first byte is there
    bool ended = false;                       ///< nothing more will come
    bool turned_away = false;                 ///< beyond the limits, and connected only to be told so
    std::size_t scanned = 0;                  ///< for find_head_end
    std::optional<Framing> framing;           ///< the head is there and good
    std::optional<BodyDecoder> body;          ///< follows the body as it comes
    std::size_t body_at = 0;                  ///< so far it has gone through `body`, of what is buffered
    std::unique_ptr<PendingRequest> pending;  ///< waits for more of its body
    Clock::time_point window_begun{};         ///< in which the body has to come fast enough
    std::size_t window_received = 0;          ///< by the connection, when it began
    Outcome outcome = Outcome::reset;         ///< of a thread's service
    Client* served_next = nullptr;
    std::list<Client>::iterator self;
  };

  void watch(Client& client);
  void wake() noexcept;
  void accept_all();
  std::optional<Acceptor::Arrival> next_arrival();
  void admit(Acceptor::Arrival arrival);
  bool make_room(Acceptor::Arrival& arrival, const std::string& network);
  bool replace(Crowd::Guest* idle);
  void turn_away(Acceptor::Arrival arrival, int status, std::string_view reason);
  Client& add(Acceptor::Arrival arrival);
  /// What the step throws costs `client` its connection, and nobody else anything.
  template <class Step>
  void guarded(const Client* client, Step step) noexcept {
    try {
      step();
    } catch (...) {
      drop_after_failure(client);
    }
  }
  void drop_after_failure(const Client* client) noexcept;
  void on_event(Client& client);
  void drop_bytes(Client& client);
  void advance(Client& client);
  void skip_empty_lines(Client& client);
  void rest(Client& client);
  bool proceed(Client& client);
  Head read_head(Client& client);
  bool is_ready(Client& client);
  bool is_too_slow(Client& client, Clock::time_point now) const;
  void wait_for_more(Client& client);
  void dispatch(Client& client);
  void take_back();
  void settle(Client& client, Outcome outcome);
  void refuse(Client& client, int status, std::string_view reason);
  void tell(Client& client, int status, std::string_view reason);
  void linger(Client& client);
  void close(Client& client);
  void sweep();
  void expire(Client& client);
  void time_out(Client& client);
  void note(observability::Rarely& kind, std::string_view what);
  void start_draining();
  void cut_off();

  const Limits& limits_;
  const Hooks& hooks_;
  const FairShare& share_;
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
  Crowd crowd_;
  std::size_t turned_away_ = 0;
  std::atomic<Client*> served_{nullptr};  ///< with a thread no more, the last one first
  observability::Rarely told_of_crowd_;
  observability::Rarely told_of_share_;
  observability::Rarely told_of_files_;

  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> refused_connections_{0};
  std::atomic<std::uint64_t> over_share_{0};
  std::atomic<std::uint64_t> replaced_{0};
  std::atomic<std::uint64_t> out_of_files_{0};
  std::atomic<std::uint64_t> refused_requests_{0};
  std::atomic<std::uint64_t> timeouts_{0};
  std::atomic<std::size_t> open_{0};
  ThreadPool pool_;  ///< last: its threads end before the rest goes
};

}  // namespace raceway::server::http
