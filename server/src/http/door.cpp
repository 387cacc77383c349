#include "http/door.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "http/early_answer.hpp"
#include "observability/request_id.hpp"

namespace raceway::server::http {
namespace {

using std::chrono::milliseconds;

/// So much of a body is gathered before a thread is taken for it.
constexpr std::size_t gathered_body = 64 * 1024;
constexpr milliseconds linger_time{2000};
/// Connections over the limit that may be told so at the same time.
constexpr std::size_t max_lingering = 256;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int checked(int result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

PoolLimits pool_limits(const Limits& limits) {
  PoolLimits pool;
  pool.threads = limits.threads;
  pool.at_once = limits.at_once != 0 ? limits.at_once : std::thread::hardware_concurrency();
  pool.queue = limits.queue;
  return pool;
}

/// How often deadlines are looked at: fine enough for the shortest of them.
milliseconds tick_for(const Limits& limits) {
  const auto shortest =
      std::min({limits.keep_alive, limits.read_timeout, limits.request_timeout, limits.drain_timeout});
  return std::clamp(shortest / 4, milliseconds(10), milliseconds(250));
}

}  // namespace

Door::Door(const Limits& limits, const Hooks& hooks, SpareBuffers& buffers, Serve serve, std::atomic<bool>& draining)
    : limits_(limits),
      hooks_(hooks),
      buffers_(buffers),
      serve_(std::move(serve)),
      draining_(draining),
      epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")),
      pool_(pool_limits(limits)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &wake_;
  checked(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event), "epoll_ctl");
}

Door::~Door() = default;

void Door::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void Door::stop() noexcept {
  const int saved = errno;  // a signal handler must not change it
  stop_asked_ = true;
  wake();
  errno = saved;
}

void Door::run(Descriptor listener) {
  acceptor_.start(std::move(listener), epoll_.get());
  const auto tick = tick_for(limits_);
  auto next_sweep = Clock::now() + tick;
  std::array<epoll_event, 256> events;
  while (!draining_ || !clients_.empty()) {
    const auto patience = pool_.relieve() ? std::min(tick, PoolLimits().patience) : tick;
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), static_cast<int>(patience.count()));
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    bool connections_wait = false;
    bool woken = false;
    for (int i = 0; i < count; ++i) {
      void* const source = events[static_cast<std::size_t>(i)].data.ptr;
      if (source == &acceptor_)
        connections_wait = true;
      else if (source == &wake_)
        woken = true;
      else
        on_event(*static_cast<Client*>(source));
    }
    if (woken) take_back();
    if (connections_wait && !draining_) accept_all();
    if (stop_asked_ && !draining_) start_draining();
    if (Clock::now() >= next_sweep) {
      sweep();
      next_sweep = Clock::now() + tick;
    }
  }
}

/// For one event: while a thread serves a client, none must come.
void Door::watch(Client& client) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
  event.data.ptr = &client;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.connection.socket(), &event) < 0) close(client);
}

void Door::accept_all() {
  for (int i = 0; i < 64; ++i) {  // then the others have their turn; what is left is reported again
    auto arrival = acceptor_.next(Clock::now());
    if (!arrival) return;
    ++accepted_;
    admit(std::move(*arrival));
  }
}

void Door::admit(Acceptor::Arrival arrival) {
  const bool full = clients_.size() - lingering_ >= limits_.max_connections;
  if (full) ++refused_connections_;
  if (full && lingering_ >= max_lingering) return;
  auto& client = clients_.emplace_back(arrival.socket.release(), std::move(arrival.peer), limits_, buffers_);
  client.self = std::prev(clients_.end());
  open_ = clients_.size();
  client.deadline = Clock::now() + limits_.keep_alive;
  client.connection.begin_request(Clock::now());
  epoll_event event{};
  event.events = EPOLLONESHOT;
  event.data.ptr = &client;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.connection.socket(), &event) < 0) return close(client);
  if (full)
    refuse(client, 503, "Too many connections at the moment; try again");
  else
    on_event(client);  // mostly the request is there already
}

void Door::on_event(Client& client) {
  if (client.state == State::serving) return;
  if (client.state == State::lingering) return drop_bytes(client);
  const auto enough = limits_.max_header_bytes + gathered_body;
  auto piece = Connection::first_piece;
  while (!client.ended && client.connection.buffered().size() < enough) {
    const auto read = client.connection.read_available(piece);
    if (read == Connection::Read::nothing_yet) break;
    client.ended = read == Connection::Read::end;
    if (read == Connection::Read::some && proceed(client)) return;
    piece = Connection::largest_piece;
  }
  advance(client);
}

void Door::drop_bytes(Client& client) {
  for (int i = 0; i < 16; ++i) {  // then the others have their turn
    const auto read = client.connection.read_available();
    if (read == Connection::Read::end) return close(client);
    if (read == Connection::Read::nothing_yet) break;
    client.connection.use(client.connection.buffered().size());
  }
  watch(client);
}

/// Goes as far with the buffered bytes as they reach, then waits. The client may be gone afterwards, here and in what
/// it calls.
void Door::advance(Client& client) {
  if (proceed(client)) return;
  if (client.connection.buffered().empty() && !client.begun) return rest(client);
  wait_for_more(client);
}

/// Hands the request to a thread, or refuses it, where there is enough of it; false where more of it must come.
bool Door::proceed(Client& client) {
  if (client.connection.buffered().empty() && !client.begun) return false;
  if (!client.begun) client.connection.begin_request(Clock::now());
  client.begun = true;
  if (!client.framing) skip_empty_lines(client);
  if (!client.framing) {
    const auto head = read_head(client);
    if (head != Head::good) return head == Head::refused;
  }
  if (!is_ready(client)) return false;
  dispatch(client);
  return true;
}

/// Some clients send one after a body.
void Door::skip_empty_lines(Client& client) {
  while (client.connection.buffered().starts_with("\r\n")) {
    client.connection.use(2);
    client.scanned = 0;
  }
}

/// Between two requests.
void Door::rest(Client& client) {
  if (client.ended || draining_) return close(client);
  client.deadline = Clock::now() + limits_.keep_alive;
  watch(client);
}

void Door::wait_for_more(Client& client) {
  if (client.ended) return close(client);
  client.deadline = std::min(Clock::now() + limits_.read_timeout, client.connection.request_deadline());
  watch(client);
}

Door::Head Door::read_head(Client& client) {
  const auto bytes = client.connection.buffered();
  const auto size = find_head_end(bytes, client.scanned);
  if (size.value_or(bytes.size()) > limits_.max_header_bytes) {
    refuse(client, 431, "The request's header is larger than " + std::to_string(limits_.max_header_bytes) + " bytes");
    return Head::refused;
  }
  if (!size) return Head::not_there;
  std::optional<BadHead> bad;
  client.framing = inspect_head(bytes.substr(0, *size), bad);
  if (bad) {
    refuse(client, bad->status, "Bad request: " + bad->reason);
    return Head::refused;
  }
  client.body.emplace(*client.framing);
  client.body_seen = 0;
  return Head::good;
}

/// Whether a thread can begin: the body is there, or enough of it, or must be asked for, or is not going to be read.
bool Door::is_ready(Client& client) {
  const auto& framing = *client.framing;
  if (!framing.has_body() || framing.expects_continue || framing.content_length > limits_.max_body_bytes) return true;
  const auto fresh = client.connection.buffered().substr(framing.head_bytes + client.body_seen);
  client.body_seen += client.body->feed(fresh, [](std::string_view) { return true; });
  if (client.body->state() != BodyDecoder::State::more || client.body_seen >= gathered_body) return true;
  if (framing.chunked) return false;
  // What waits in the socket need not be gathered here: the thread can take it from there.
  const auto needed = std::min<std::uint64_t>(framing.content_length, gathered_body) - client.body_seen;
  return client.connection.available() >= needed;
}

void Door::dispatch(Client& client) {
  client.state = State::serving;
  const bool accepted = pool_.submit([this, &client] {
    auto outcome = Outcome::reset;
    try {
      outcome = serve_(client.connection, *client.framing);
    } catch (const std::exception& error) {
      if (hooks_.failure) hooks_.failure("", error.what());
    }
    {
      const std::lock_guard lock(served_mutex_);
      served_.push_back({&client, outcome});
    }
    wake();
  });
  if (accepted) return;
  client.state = State::reading;
  ++refused_requests_;
  refuse(client, 503, "The server has too much to do at the moment; try again");
}

void Door::take_back() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
  std::vector<Served> served;
  {
    const std::lock_guard lock(served_mutex_);
    served.swap(served_);
  }
  for (const auto& [client, outcome] : served) settle(*client, outcome);
}

void Door::settle(Client& client, Outcome outcome) {
  client.state = State::reading;
  client.begun = false;
  client.scanned = 0;
  client.framing.reset();
  client.body.reset();
  const bool sends_on = outcome == Outcome::close && client.connection.read_available() == Connection::Read::some;
  if ((outcome == Outcome::linger || sends_on) && !client.ended) return linger(client);
  if (outcome == Outcome::keep && !cut_off_) return advance(client);
  if (outcome == Outcome::reset) {
    const ::linger at_once{1, 0};
    setsockopt(client.connection.socket(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  close(client);
}

void Door::refuse(Client& client, int status, std::string_view reason) {
  const auto request_id = observability::new_request_id();
  client.connection.begin_answer();
  client.connection.send_now(early_answer(status, reason, request_id));
  if (hooks_.access) {
    Access access;
    access.status = status;
    access.sent_bytes = client.connection.sent();
    access.duration = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - client.connection.begun());
    access.request_id = request_id;
    access.client = client.connection.peer();
    hooks_.access(access);
  }
  linger(client);
}

/// Closing now, with bytes unread, would reset the connection and take the answer from the client.
void Door::linger(Client& client) {
  client.connection.finish_sending();
  client.connection.use(client.connection.buffered().size());
  client.state = State::lingering;
  ++lingering_;
  client.deadline = Clock::now() + linger_time;
  watch(client);
}

void Door::close(Client& client) {
  if (client.state == State::lingering) --lingering_;
  clients_.erase(client.self);
  open_ = clients_.size();
}

void Door::sweep() {
  const auto now = Clock::now();
  if (!draining_) acceptor_.resume(now);
  if (draining_ && now >= drain_deadline_ && !cut_off_) cut_off();
  for (auto next = clients_.begin(); next != clients_.end();) {
    auto& client = *next++;
    if (client.state != State::serving && now >= client.deadline) expire(client);
  }
}

void Door::expire(Client& client) {
  if (client.state == State::lingering || client.connection.buffered().empty()) return close(client);
  ++timeouts_;
  refuse(client, 408, "The request did not arrive in time");
}

void Door::start_draining() {
  draining_ = true;
  drain_deadline_ = Clock::now() + limits_.drain_timeout;
  accept_all();  // who is connected already is served or closed in order, not reset
  acceptor_.stop();
  for (auto next = clients_.begin(); next != clients_.end();) {
    auto& client = *next++;
    if (client.state == State::reading) on_event(client);
  }
}

/// The clients had their time. Handlers go on, and cannot send any more.
void Door::cut_off() {
  cut_off_ = true;
  for (auto next = clients_.begin(); next != clients_.end();) {
    auto& client = *next++;
    if (client.state == State::serving)
      client.connection.shut_down();
    else
      close(client);
  }
}

Counters Door::counters() const {
  Counters counters;
  counters.connections_accepted = accepted_;
  counters.connections_refused = refused_connections_;
  counters.requests_refused = refused_requests_;
  counters.timeouts = timeouts_;
  counters.connections = open_;
  counters.requests_running = pool_.running();
  counters.requests_queued = pool_.waiting();
  return counters;
}

}  // namespace raceway::server::http
