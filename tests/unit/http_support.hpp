// A server on a free port, and a client that sends exactly the bytes it is told.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/server.hpp"

namespace raceway::server::http::test {

using std::chrono::milliseconds;

/// An answer as it came.
struct Answer {
  int status = 0;                              ///< 0: the connection ended before one
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;                            ///< chunks put together
  bool complete = false;

  std::string header(const std::string& name) const;
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False where the server does not take them any more.
  bool send(std::string_view bytes);
  /// Waits up to `patience` for each piece.
  Answer read(bool head_only = false, milliseconds patience = milliseconds(10000));
  Answer ask(std::string_view bytes);
  /// Whether the server ends the connection within `patience`, without sending more.
  bool closed(milliseconds patience = milliseconds(10000));
  void finish_sending();

 private:
  bool more(milliseconds patience);
  std::optional<std::string> line(milliseconds patience);
  bool read_chunks(std::string& body, milliseconds patience);
  std::string take(std::size_t bytes);

  int socket_;
  std::string in_;
};

/// "GET PATH HTTP/1.1" with the header lines given, each with its CRLF.
std::string get(std::string_view path, std::string_view header_lines = "");
/// A POST with the body's length and, unless given in `header_lines`, no content type.
std::string post(std::string_view path, std::string_view body, std::string_view header_lines = "");
std::string gzipped(std::string_view text);

/// What the access hook saw.
struct AccessLine {
  std::string method, path, route, request_id, client, identity;
  int status;
  std::size_t received_bytes, sent_bytes;
  bool complete;
};

/// Options for a free port of 127.0.0.1.
Options local_options();

/// Runs until it is destroyed. Has the routes GET /ping, POST /echo (the body as data), GET /items/:id (its id), and
/// those of `more`.
class TestServer {
 public:
  explicit TestServer(Options options = local_options(), const std::function<void(Server&)>& more = {});
  ~TestServer();

  std::uint16_t port() const { return port_; }
  RawClient client() const { return RawClient(port_); }
  Server& server() { return server_; }
  /// stop(), and wait for run() to return.
  void stop();
  std::vector<AccessLine> access() const;
  std::vector<std::string> failures() const;
  std::vector<std::string> notices() const;

 private:
  Hooks hooks();

  mutable std::mutex mutex_;
  std::vector<AccessLine> access_;
  std::vector<std::string> failures_;
  std::vector<std::string> notices_;
  Server server_;
  std::uint16_t port_;
  std::thread thread_;
};

/// Whether `condition` comes true within ten seconds.
bool eventually(const std::function<bool()>& condition);

}  // namespace raceway::server::http::test
