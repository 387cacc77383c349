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

constexpr std::chrono::milliseconds pause{100};

}  // namespace

void Acceptor::start(Descriptor listener, int epoll) {
  listener_ = std::move(listener);
  epoll_ = epoll;
  resume(Clock::now());
  watch();
}

void Acceptor::watch() {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_.get(), &event) < 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

/// An invalid one, and errno, where nobody waits or it cannot be.
Descriptor Acceptor::accept(sockaddr_storage& address, socklen_t& size) const {
  int socket = -1;
  do {  // one that has gone again while it waited is passed over
    size = sizeof address;
    socket = accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (socket < 0 && (errno == ECONNABORTED || errno == EINTR));
  return Descriptor(socket);
}

std::optional<Acceptor::Arrival> Acceptor::next(Clock::time_point now) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  auto socket = accept(address, size);
  const bool last = socket.get() < 0 && (errno == EMFILE || errno == ENFILE) && spare_.get() >= 0;
  if (last) {
    spare_ = Descriptor();
    socket = accept(address, size);
  }
  if (socket.get() < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, listener_.get(), nullptr);
      paused_until_ = now + pause;
    }
    return std::nullopt;
  }
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Arrival{std::move(socket), numeric_host(address, size), last};
}

void Acceptor::resume(Clock::time_point now) {
  if (spare_.get() < 0) spare_ = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!paused_until_ || now < *paused_until_) return;
  paused_until_.reset();
  watch();
}

}  // namespace raceway::server::http
