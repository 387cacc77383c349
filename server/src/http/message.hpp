// A request as a handler sees it, and the answer it gives.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/byte_budget.hpp"

namespace raceway::server::http {

/// Names compare without case for headers, exactly for parameters. A name may repeat, then in the order of arrival.
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;              ///< as sent: "GET", "HEAD", "POST" ..
  std::string path;                ///< percent-decoded, without the query
  std::string route;               ///< the pattern that matched, "/api/traces/:id"; for metrics and logs
  Fields path_parameters;          ///< percent-decoded after the path was split: a %2F stays inside its parameter
  Fields query;                    ///< percent-decoded, '+' is a blank
  Fields headers;                  ///< values as sent, without blanks at the ends
  std::string body;                ///< whole and decompressed
  storage::ByteBudget::Hold held;  ///< what the body takes of the budget of bytes in flight
  std::string client;              ///< address: the peer's, or what trusted proxies say in X-Forwarded-For
  std::string request_id;
  std::string identity;  ///< which API key it came with ("key 1" is the first configured), never the key; else empty

  /// The last of that name, or nothing.
  std::optional<std::string_view> header(std::string_view name) const;
  std::optional<std::string_view> query_parameter(std::string_view name) const;
  /// Of the route's own pattern, so it is always there. Throws std::logic_error for a name the pattern does not have.
  std::string_view path_parameter(std::string_view name) const;
};

/// Takes the next piece of a streamed body; false once the client is gone. Pieces are gathered before they are sent.
using Write = std::function<bool(std::string_view)>;

/// Produces a streamed body by calling `write`. False or an exception means that the body is not whole: the connection
/// is then cut so that the client cannot take it for complete. Called once, or never (HEAD, or the client is gone).
using Stream = std::function<bool(const Write& write)>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  Fields headers;     ///< neither Content-Length nor Content-Type, Connection or Transfer-Encoding
  std::string body;   ///< ignored where there is a stream
  std::string error;  ///< of a failure: what its body says
  Stream stream;      ///< sent chunked
};

/// What a handler throws to answer with an error in the envelope.
class Refusal : public std::runtime_error {
 public:
  /// `retry_after` of zero sends no such header.
  Refusal(int status, const std::string& message, std::chrono::seconds retry_after = std::chrono::seconds(0))
      : std::runtime_error(message), status_(status), retry_after_(retry_after) {}
  int status() const { return status_; }
  std::chrono::seconds retry_after() const { return retry_after_; }

 private:
  int status_;
  std::chrono::seconds retry_after_;
};

/// Called from many threads at once. May wait (for a commit, say): it holds one of Limits::threads meanwhile.
using Handler = std::function<Response(Request&)>;

/// What a route does with a request's body. Where it is not wanted, it is skipped.
enum class Body {
  none,
  json,  ///< Content-Type must be application/json or something+json, else 415; only browsers may not leave it out
  json_or_protobuf,  ///< or application/x-protobuf
  any,
};

/// Says a failure in a form of the route's own: called with the request, as far as it is known, and the failure in the
/// envelope.
using TellFailure = std::function<void(const Request&, Response&)>;

struct RouteOptions {
  std::optional<Body> body;  ///< by default json for POST, PUT and PATCH, none for the others
  bool open = false;         ///< served without an API key
  bool limited = true;       ///< counts against the rate limit
  TellFailure tell_failure = {};
};

}  // namespace raceway::server::http
