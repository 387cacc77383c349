#include "http/acceptor.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "http/listen.hpp"

namespace raceway::server::http {
namespace {

constexpr std::chrono::milliseconds pause_time{100};

}  // namespace

void Acceptor::start(std::vector<Descriptor> listeners, int epoll) {
  listeners_ = std::move(listeners);
  epoll_ = epoll;
  resume(Clock::now());
  watch();
}

void Acceptor::watch() {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;
  for (const auto& listener : listeners_) {
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, listener.get(), &event) < 0)
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

/// Nothing, and errno, where nobody waits or it cannot be.
std::optional<Acceptor::Arrival> Acceptor::accept() const {
  for (const auto& listener : listeners_) {
    auto arrival = accept_from(listener);
    if (arrival || (errno != EAGAIN && errno != EWOULDBLOCK)) return arrival;
  }
  return std::nullopt;
}

std::optional<Acceptor::Arrival> Acceptor::accept_from(const Descriptor& listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  int socket = -1;
  do {  // one that has gone again while it waited is passed over
    size = sizeof address;
    socket = accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (socket < 0 && (errno == ECONNABORTED || errno == EINTR));
  if (socket < 0) return std::nullopt;
  Descriptor accepted(socket);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Arrival{std::move(accepted), numeric_host(address, size)};
}

void Acceptor::pause(Clock::time_point now) {
  for (const auto& listener : listeners_) epoll_ctl(epoll_, EPOLL_CTL_DEL, listener.get(), nullptr);
  paused_until_ = now + pause_time;
}

std::optional<Acceptor::Arrival> Acceptor::next(Clock::time_point now) {
  auto arrival = accept();
  const int error = arrival ? 0 : errno;
  out_of_files_ = error == EMFILE || error == ENFILE;
  if (error == ENOBUFS || error == ENOMEM) pause(now);
  return arrival;
}

std::optional<Acceptor::Arrival> Acceptor::next_by_spare(Clock::time_point now) {
  spare_ = Descriptor();
  auto arrival = accept();
  if (arrival)
    arrival->last = true;
  else
    pause(now);
  return arrival;
}

void Acceptor::resume(Clock::time_point now) {
  if (spare_.get() < 0) spare_ = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!paused_until_ || now < *paused_until_) return;
  paused_until_.reset();
  watch();
}

}  // namespace raceway::server::http
