#include "http/connection.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
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

Connection::Connection(Descriptor socket, std::string peer, const Limits& limits, SpareBuffers& buffers)
    : socket_(std::move(socket)), peer_(std::move(peer)), limits_(limits), buffers_(buffers) {}

Connection::~Connection() {
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

Connection::Read Connection::read_available_to(char* to, std::size_t size, std::size_t& got) {
  ssize_t bytes = 0;
  do {
    bytes = ::recv(socket_.get(), to, size, 0);
  } while (bytes < 0 && errno == EINTR);
  got = bytes < 0 ? 0 : static_cast<std::size_t>(bytes);
  received_ += got;
  if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Read::nothing_yet;
  return got == 0 ? Read::end : Read::some;
}

std::size_t Connection::available() const {
  int bytes = 0;
  return ::ioctl(socket_.get(), FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Connection::begin_answer() {
  sent_ = 0;
  waited_ = Clock::duration(0);
  taken_then_ = 0;
}

/// Of what was sent; what the kernel holds back is not. Only differences mean something: earlier answers may count.
std::ptrdiff_t Connection::taken() const {
  int held = 0;
  ::ioctl(socket_.get(), SIOCOUTQ, &held);
  return static_cast<std::ptrdiff_t>(sent_) - held;
}

bool Connection::is_too_slow(Clock::duration waited, std::ptrdiff_t taken) {
  waited_ += waited;
  taken_then_ += taken;
  if (waited_ < limits_.rate_window) return false;
  const auto least = std::chrono::duration<double>(waited_).count() * static_cast<double>(limits_.least_taken);
  const bool slow = static_cast<double>(taken_then_) < least;
  waited_ = Clock::duration(0);
  taken_then_ = 0;
  return slow;
}

bool Connection::wait_to_send(Clock::time_point deadline) {
  using std::chrono::milliseconds;
  const milliseconds slice = std::clamp(limits_.rate_window / 4, milliseconds(10), milliseconds(1000));
  for (;;) {
    const auto begin = Clock::now();
    const auto left = std::min(std::chrono::ceil<milliseconds>(deadline - begin), slice);
    if (left.count() <= 0) return false;
    const auto before = taken();
    pollfd entry{socket_.get(), POLLOUT, 0};
    int ready = 0;
    {
      const ThreadPool::Wait wait;
      ready = ::poll(&entry, 1, static_cast<int>(left.count()));
    }
    if (is_too_slow(Clock::now() - begin, taken() - before)) return false;
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
    const auto taken = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (taken >= 0) {
      sent_ += static_cast<std::size_t>(taken);
      bytes.remove_prefix(static_cast<std::size_t>(taken));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      broken_ = !wait_to_send(deadline);
    } else if (errno != EINTR) {
      broken_ = true;
    }
  }
  return !broken_;
}

void Connection::send_now(std::string_view bytes) {
  const auto taken = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (taken > 0) sent_ += static_cast<std::size_t>(taken);
}

void Connection::finish_sending() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void Connection::shut_down() {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace raceway::server::http
