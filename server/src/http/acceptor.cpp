#include "http/acceptor.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace raceway::server::http {
namespace {

constexpr std::chrono::milliseconds pause{100};

std::string address_text(const sockaddr_storage& address, socklen_t size) {
  std::array<char, NI_MAXHOST> text{};
  const int status = getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, text.data(), text.size(), nullptr,
                                 0, NI_NUMERICHOST);
  return status == 0 ? text.data() : "unknown";
}

}  // namespace

void Acceptor::start(Descriptor listener, int epoll) {
  listener_ = std::move(listener);
  epoll_ = epoll;
  watch();
}

void Acceptor::watch() {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_.get(), &event) < 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

std::optional<Acceptor::Arrival> Acceptor::next(Clock::time_point now) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  int socket = -1;
  do {  // one that has gone again while it waited is passed over
    size = sizeof address;
    socket = accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (socket < 0 && (errno == ECONNABORTED || errno == EINTR));
  if (socket < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, listener_.get(), nullptr);
      paused_until_ = now + pause;
    }
    return std::nullopt;
  }
  Descriptor accepted(socket);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Arrival{std::move(accepted), address_text(address, size)};
}

void Acceptor::resume(Clock::time_point now) {
  if (!paused_until_ || now < *paused_until_) return;
  paused_until_.reset();
  watch();
}

}  // namespace raceway::server::http
