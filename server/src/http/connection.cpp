#include "http/connection.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "http/pool.hpp"

namespace raceway::server::http {
namespace {

constexpr std::size_t gather_size = 64 * 1024;
/// A buffer that is empty keeps no more than this: thousands of connections may be idle.
constexpr std::size_t kept_size = 16 * 1024;
/// Slower than this a client is taken for one that holds its thread on purpose.
constexpr std::size_t least_bytes_per_second = 64 * 1024;

}  // namespace

Connection::Connection(int socket, std::string peer, const Limits& limits, SpareBuffers& buffers)
    : socket_(socket), peer_(std::move(peer)), limits_(limits), buffers_(buffers) {}

Connection::~Connection() {
  ::close(socket_);
  buffers_.give(std::move(in_));
}

void Connection::append(std::string& buffer, std::string_view bytes) {
  if (buffer.empty() && bytes.size() > kept_size && bytes.size() > buffer.capacity()) {
    buffer = buffers_.take();
    buffer.clear();
  }
  buffer.append(bytes);
}

void Connection::empty(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kept_size) buffers_.give(std::exchange(buffer, {}));
}

void Connection::use(std::size_t bytes) {
  used_ += bytes;
  if (used_ < in_.size()) return;
  used_ = 0;
  empty(in_);
}

Connection::Read Connection::read_available(std::size_t most) {
  thread_local std::array<char, largest_piece> piece;
  std::size_t got = 0;
  const auto read = read_available_to(piece.data(), most, got);
  if (read != Read::some) return read;
  if (used_ > 0) in_.erase(0, std::exchange(used_, 0));
  append(in_, {piece.data(), got});
  return read;
}

Connection::Read Connection::read_available_to(char* to, std::size_t size, std::size_t& got) const {
  ssize_t bytes = 0;
  do {
    bytes = ::recv(socket_, to, size, 0);
  } while (bytes < 0 && errno == EINTR);
  got = bytes < 0 ? 0 : static_cast<std::size_t>(bytes);
  if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Read::nothing_yet;
  return got == 0 ? Read::end : Read::some;
}

template <class ReadSome>
Connection::Read Connection::wait_and_read(ReadSome read_some) const {
  const auto deadline = std::min(Clock::now() + limits_.read_timeout, request_deadline());
  for (;;) {
    const auto result = read_some();
    if (result != Read::nothing_yet) return result;
    if (!wait_for(POLLIN, deadline)) return Read::timeout;
  }
}

Connection::Read Connection::read_waiting() {
  return wait_and_read([this] { return read_available(); });
}

Connection::Read Connection::read_waiting_to(char* to, std::size_t size, std::size_t& got) const {
  return wait_and_read([&] { return read_available_to(to, size, got); });
}

std::size_t Connection::available() const {
  int bytes = 0;
  return ::ioctl(socket_, FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool Connection::wait_for(short events, Clock::time_point deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    const ThreadPool::Wait wait;
    pollfd entry{socket_, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool Connection::write(std::string_view bytes) {
  if (broken_) return false;
  if (out_.size() + bytes.size() > gather_size && !flush()) return false;
  if (bytes.size() > gather_size) return send_all(bytes);
  append(out_, bytes);
  return true;
}

bool Connection::flush() {
  if (broken_ || out_.empty()) return !broken_;
  const bool sent = send_all(out_);
  empty(out_);
  return sent;
}

bool Connection::send_all(std::string_view bytes) {
  const auto deadline =
      Clock::now() + limits_.write_timeout + std::chrono::seconds(bytes.size() / least_bytes_per_second);
  while (!bytes.empty() && !broken_) {
    const auto taken = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (taken >= 0) {
      sent_ += static_cast<std::size_t>(taken);
      bytes.remove_prefix(static_cast<std::size_t>(taken));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      broken_ = !wait_for(POLLOUT, deadline);
    } else if (errno != EINTR) {
      broken_ = true;
    }
  }
  return !broken_;
}

void Connection::send_now(std::string_view bytes) {
  const auto taken = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (taken > 0) sent_ += static_cast<std::size_t>(taken);
}

void Connection::finish_sending() {
  ::shutdown(socket_, SHUT_WR);
}

void Connection::shut_down() {
  ::shutdown(socket_, SHUT_RDWR);
}

}  // namespace raceway::server::http
