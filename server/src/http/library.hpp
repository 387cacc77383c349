// All that is taken from cpp-httplib's server: it reads a request line, and writes an answer. The rest of it does not
// fit: sockets, threads, bodies, queries, ranges and compression. It sees no header field, since from version to
// version it acts upon others of them by itself, and decodes or refuses their values.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/connection.hpp"
#include "http/message.hpp"

namespace raceway::server::http {

/// Who is asked what to answer to one request.
class Answerer {
 public:
  virtual ~Answerer() = default;

  /// The answer to a request line; `target` is as sent.
  virtual Response answer(const std::string& method, const std::string& target) = 0;
  /// The same where the request line is none.
  virtual Response refuse(int status) = 0;
  /// What the field Connection is to say; it is left out where this is empty. After one of the others. `until_close`:
  /// the answer's end can only be told by that of the connection.
  virtual std::string_view connection_field(int status, bool until_close) = 0;
};

/// Thread-safe.
class Library {
 public:
  Library();
  ~Library();

  /// Reads the line, which ends in CR LF, gets the answer and writes it. False where not all of it could be written.
  bool serve(std::string_view request_line, bool http_1_0, Connection& connection, Answerer& answerer);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace raceway::server::http
