#include "http/door.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
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
  const auto shortest = std::min(
      {limits.keep_alive, limits.read_timeout, limits.request_timeout, limits.drain_timeout, limits.rate_window});
  return std::clamp(shortest / 4, milliseconds(10), milliseconds(250));
}

}  // namespace

Door::Door(const Limits& limits, const Hooks& hooks, const FairShare& share, SpareBuffers& buffers, Serve serve,
           std::atomic<bool>& draining)
    : limits_(limits),
      hooks_(hooks),
      share_(share),
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

void Door::run(std::vector<Descriptor> listeners) {
  acceptor_.start(std::move(listeners), epoll_.get());
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
        guarded(static_cast<Client*>(source), [&] { on_event(*static_cast<Client*>(source)); });
    }
    if (woken) take_back();
    if (connections_wait && !draining_) guarded(nullptr, [&] { accept_all(); });
    if (stop_asked_ && !draining_) start_draining();
    if (Clock::now() >= next_sweep) {
      sweep();
      next_sweep = Clock::now() + tick;
    }
  }
}

/// One client's misfortune, as memory that is not to be had, is not the others': it loses its connection.
void Door::drop_after_failure(const Client* client) noexcept {
  const auto report = [this](std::string_view what) {
    if (hooks_.failure) hooks_.failure("", what);
  };
  try {
    try {
      throw;
    } catch (const std::exception& error) {
      report(error.what());
    } catch (...) {
      report("something that is no std::exception");
    }
  } catch (...) {  // nor can it be told of
  }
  if (client == nullptr) return;
  const auto is_it = [&](const Client& other) { return &other == client; };
  const auto place = std::find_if(clients_.begin(), clients_.end(), is_it);
  if (place != clients_.end() && place->state != State::serving) close(*place);
}

/// For one event: while a thread serves a client, none must come.
void Door::watch(Client& client) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
  event.data.ptr = &client;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.connection.socket(), &event) < 0) close(client);
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
  crowd_.busy(client);
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
  crowd_.idle(client);
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
  client.body_at = client.framing->head_bytes;
  client.window_begun = Clock::now();
  client.window_received = client.connection.received();
  return Head::good;
}

/// Whether a thread can begin, or go on: the body is there, or enough of it, or must be asked for, or is not going to
/// be read.
bool Door::is_ready(Client& client) {
  const auto& framing = *client.framing;
  if (!client.pending &&
      (!framing.has_body() || framing.expects_continue || framing.content_length > limits_.max_body_bytes))
    return true;
  const auto fresh = client.connection.buffered().substr(client.body_at);
  client.body_at += client.body->feed(fresh, [](std::string_view) { return true; });
  const auto gathered = client.body_at - (client.pending ? 0 : framing.head_bytes);
  if (client.body->state() != BodyDecoder::State::more || gathered >= gathered_body) return true;
  if (framing.chunked) return false;
  // What waits in the socket need not be gathered here: the thread can take it from there.
  return client.connection.available() >= std::min<std::uint64_t>(client.body->left(), gathered_body - gathered);
}

void Door::dispatch(Client& client) {
  client.state = State::serving;
  const auto job = [this, &client] {
    client.outcome = Outcome::reset;
    guarded(nullptr, [&] { client.outcome = serve_(client.connection, *client.framing, client.pending); });
    client.served_next = served_.load();
    while (!served_.compare_exchange_weak(client.served_next, &client)) continue;
    wake();
  };
  bool accepted = false;
  try {
    accepted = pool_.submit(job);
  } catch (const std::bad_alloc&) {  // there is too much to do
  }
  if (accepted) return;
  client.state = State::reading;
  ++refused_requests_;
  refuse(client, 503, "The server has too much to do at the moment; try again");
}

void Door::take_back() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
  for (auto* client = served_.exchange(nullptr); client != nullptr;) {
    auto* const next = client->served_next;
    client->state = State::reading;
    guarded(client, [&] { settle(*client, client->outcome); });
    client = next;
  }
}

void Door::settle(Client& client, Outcome outcome) {
  if (outcome == Outcome::more && !cut_off_) {
    client.body = client.pending->upload->decoder();
    client.body_at = 0;
    return advance(client);
  }
  client.pending.reset();
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
  tell(client, status, reason);
  linger(client);
}

void Door::tell(Client& client, int status, std::string_view reason) {
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
}

/// Closing now, with bytes unread, would reset the connection and take the answer from the client.
void Door::linger(Client& client) {
  client.connection.finish_sending();
  client.connection.use(client.connection.buffered().size());
  client.state = State::lingering;
  client.pending.reset();
  client.deadline = Clock::now() + linger_time;
  crowd_.idle(client);
  watch(client);
}

void Door::close(Client& client) {
  if (client.turned_away) --turned_away_;
  crowd_.leave(client);
  clients_.erase(client.self);
  open_ = clients_.size();
}

void Door::sweep() {
  const auto now = Clock::now();
  if (!draining_) guarded(nullptr, [&] { acceptor_.resume(now); });
  if (draining_ && now >= drain_deadline_ && !cut_off_) cut_off();
  for (auto next = clients_.begin(); next != clients_.end();) {
    auto& client = *next++;
    if (client.state == State::serving) continue;
    if (now >= client.deadline)
      guarded(&client, [&] { expire(client); });
    else if (client.state == State::reading && client.framing && is_too_slow(client, now))
      guarded(&client, [&] { time_out(client); });
  }
}

/// Of a body: whether a window is over in which it came too slowly.
bool Door::is_too_slow(Client& client, Clock::time_point now) const {
  const auto passed = now - client.window_begun;
  if (passed < limits_.rate_window) return false;
  const auto received = client.connection.received();
  const auto least = std::chrono::duration<double>(passed).count() * static_cast<double>(limits_.least_sent);
  const bool slow = static_cast<double>(received - client.window_received) < least;
  client.window_begun = now;
  client.window_received = received;
  return slow;
}

void Door::expire(Client& client) {
  if (client.state == State::lingering || !client.begun) return close(client);
  time_out(client);
}

void Door::time_out(Client& client) {
  ++timeouts_;
  refuse(client, 408, "The request did not arrive in time");
}

void Door::start_draining() {
  draining_ = true;
  drain_deadline_ = Clock::now() + limits_.drain_timeout;
  guarded(nullptr, [&] { accept_all(); });  // who is connected already is served or closed in order, not reset
  acceptor_.stop();
  for (auto next = clients_.begin(); next != clients_.end();) {
    auto& client = *next++;
    if (client.state == State::reading) guarded(&client, [&] { on_event(client); });
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
  counters.connections_over_share = over_share_;
  counters.connections_replaced = replaced_;
  counters.out_of_files = out_of_files_;
  counters.requests_refused = refused_requests_;
  counters.timeouts = timeouts_;
  counters.connections = open_;
  counters.requests_running = pool_.running();
  counters.requests_queued = pool_.waiting();
  return counters;
}

}  // namespace raceway::server::http
