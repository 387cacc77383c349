// One client's socket with what was read from it and not used yet, and the time it may take.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "http/descriptor.hpp"
#include "http/server.hpp"
#include "http/spare_buffers.hpp"

namespace raceway::server::http {

using Clock = std::chrono::steady_clock;

/// Owns the socket, which must be non-blocking. One thread at a time, except for shut_down(). `buffers` outlives it:
/// what it has not to hold bytes in goes there.
class Connection {
 public:
  enum class Read { some, nothing_yet, end };

  Connection(Descriptor socket, std::string peer, const Limits& limits, SpareBuffers& buffers);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int socket() const { return socket_.get(); }
  const std::string& peer() const { return peer_; }  ///< its address, without the port

  /// Read and not used yet.
  std::string_view buffered() const { return std::string_view(in_).substr(used_); }
  void use(std::size_t bytes);

  /// So much is read at first: a request and its answer, mostly, or the beginning of a body.
  static constexpr std::size_t first_piece = 16 * 1024;
  static constexpr std::size_t largest_piece = 64 * 1024;

  /// Reads what is there, up to `most` bytes (largest_piece at most), without waiting. `end` is also a broken
  /// connection.
  Read read_available(std::size_t most = largest_piece);
  /// The same past the buffer, which must be empty: up to `size` bytes to `to`; `got` is how many.
  Read read_available_to(char* to, std::size_t size, std::size_t& got);
  /// Bytes that were read since it was made.
  std::size_t received() const { return received_; }
  /// How many bytes could be read now.
  std::size_t available() const;

  /// When the current request began; its deadline counts from there. Not begun: the connection is idle.
  void begin_request(Clock::time_point now) { begun_ = now; }
  Clock::time_point begun() const { return begun_; }
  Clock::time_point request_deadline() const { return begun_ + limits_.request_timeout; }

  /// Gathers bytes to be sent, and sends when they are many. False once the client is gone or too slow: nothing of what
  /// is next is taken within the write timeout, or in all less than Limits::least_taken a second while it is waited
  /// for.
  bool write(std::string_view bytes);
  /// Sends what was gathered.
  bool flush();
  /// Sends without waiting, as much as the socket takes; for answers of the thread that must not wait.
  void send_now(std::string_view bytes);

  /// Bytes given to the socket since begin_answer().
  std::size_t sent() const { return sent_; }
  void begin_answer();
  bool broken() const { return broken_; }
  /// Nothing more is sent, what was gathered is forgotten.
  void abandon() { broken_ = true; }

  /// The client sees the end of the answers, and may go on sending.
  void finish_sending();
  /// Reads and writes fail from now on. From any thread while the connection lives.
  void shut_down();

 private:
  bool send_all(std::string_view bytes);
  void append(std::string& buffer, std::string_view bytes);
  void empty(std::string& buffer);
  bool wait_to_send(Clock::time_point deadline);
  std::ptrdiff_t taken() const;
  bool is_too_slow(Clock::duration waited, std::ptrdiff_t taken);

  const Descriptor socket_;
  const std::string peer_;
  const Limits& limits_;
  SpareBuffers& buffers_;
  std::string in_;
  std::size_t used_ = 0;
  std::string out_;
  std::size_t received_ = 0;
  std::size_t sent_ = 0;
  Clock::duration waited_{0};      ///< for the client to take more, in this window
  std::ptrdiff_t taken_then_ = 0;  ///< what it took meanwhile
  bool broken_ = false;
  Clock::time_point begun_{};
};

}  // namespace raceway::server::http
