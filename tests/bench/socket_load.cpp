#include "socket_load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace raceway::bench {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

class Descriptor {
 public:
  explicit Descriptor(int number, const char* what) : number_(number) {
    if (number_ < 0) fail(what);
  }
  ~Descriptor() { close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

/// A connection and the request that is under way on it.
class Client {
 public:
  Client(std::uint16_t port, const std::vector<Request>& requests)
      : requests_(requests), socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket") {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
    const int on = 1;
    setsockopt(socket_.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  int descriptor() const { return socket_.number(); }
  bool is_waiting() const { return is_waiting_; }
  bool is_sending() const { return is_waiting_ && sent_ < requests_[next_].bytes.size(); }

  /// Starts the next request, if there is one.
  void start() {
    if (next_ == requests_.size()) return;
    is_waiting_ = true;
    sent_ = 0;
    received_.clear();
    started_ = Clock::now();
    send_more();
  }

  void send_more() {
    const std::string& bytes = requests_[next_].bytes;
    while (sent_ < bytes.size()) {
      const auto count = send(descriptor(), bytes.data() + sent_, bytes.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) return;
      if (count < 0) fail("send");
      sent_ += static_cast<std::size_t>(count);
    }
  }

  /// Takes what has come; true where that ends the request.
  bool receive(const Protocol& protocol, Outcome& outcome) {
    std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
    const auto count = recv(descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return false;
    if (count < 0) fail("recv");
    if (count == 0) throw std::runtime_error("the server closed the connection");
    received_.append(buffer.data(), static_cast<std::size_t>(count));
    if (!protocol.is_answer(received_, requests_[next_], outcome)) return false;
    outcome.latencies_millis.push_back(std::chrono::duration<double, std::milli>(Clock::now() - started_).count());
    outcome.events += requests_[next_].events;
    is_waiting_ = false;
    ++next_;
    return true;
  }

 private:
  const std::vector<Request>& requests_;
  Descriptor socket_;
  std::size_t next_ = 0;
  std::size_t sent_ = 0;
  std::string received_;
  bool is_waiting_ = false;
  Clock::time_point started_;
};

class Loop {
 public:
  Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC), "epoll_create1") {}

  void watch(Client& client, int operation) {
    epoll_event event{};
    event.events = EPOLLIN | (client.is_sending() ? std::uint32_t{EPOLLOUT} : 0U);
    event.data.ptr = &client;
    if (epoll_ctl(epoll_.number(), operation, client.descriptor(), &event) != 0) fail("epoll_ctl");
  }

  template <class Handle>
  void wait(Handle handle) {
    std::array<epoll_event, 64> events{};
    const int count = epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), 60000);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    if (count == 0) throw std::runtime_error("no answer within a minute");
    for (int at = 0; at < count; ++at) handle(*static_cast<Client*>(events[static_cast<std::size_t>(at)].data.ptr));
  }

 private:
  Descriptor epoll_;
};

}  // namespace

Outcome load_by_socket(std::uint16_t port, const Protocol& protocol,
                       const std::vector<std::vector<Request>>& requests_by_client, double seconds) {
  Loop loop;
  std::vector<std::unique_ptr<Client>> clients;
  clients.reserve(requests_by_client.size());
  for (const auto& requests : requests_by_client) clients.push_back(std::make_unique<Client>(port, requests));

  Outcome outcome;
  const auto start = Clock::now();
  const auto deadline = start + std::chrono::duration<double>(seconds);
  std::size_t waiting = 0;
  for (auto& client : clients) {
    client->start();
    waiting += client->is_waiting() ? 1 : 0;
    loop.watch(*client, EPOLL_CTL_ADD);
  }
  while (waiting > 0) {
    loop.wait([&](Client& client) {
      if (!client.is_waiting()) throw std::runtime_error("the server sent what nobody asked for, or closed");
      const bool was_sending = client.is_sending();
      if (was_sending) client.send_more();
      if (client.receive(protocol, outcome)) {
        if (Clock::now() < deadline) client.start();
        waiting -= client.is_waiting() ? 0 : 1;
      }
      if (client.is_sending() != was_sending) loop.watch(client, EPOLL_CTL_MOD);
    });
  }
  outcome.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return outcome;
}

}  // namespace raceway::bench
