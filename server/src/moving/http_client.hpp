// Requests to a server of this kind.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "config/endpoint.hpp"

namespace raceway::server::moving {

/// The server could not be asked, or did not answer as one of this kind does. what() holds no secret.
class ServerError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a server said: for an error status, `body` is the error's text.
struct ServerAnswer {
  int status = 0;
  std::string body;
  std::optional<std::chrono::seconds> retry_after;
};

/// One connection, kept alive. Not thread-safe.
class HttpClient {
 public:
  explicit HttpClient(const config::Endpoint& endpoint);
  ~HttpClient();

  /// GET; hands over the pieces of a 200's body as they come; of another status, nothing. Throws ServerError where the
  /// answer does not come or breaks off.
  ServerAnswer get(const std::string& path, const std::function<void(std::string_view)>& piece);

  /// POST of JSON. Throws ServerError where no answer comes; the body may have arrived.
  ServerAnswer post(const std::string& path, std::string_view body);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Text as it may stand in a path or a query.
std::string percent_encoded(std::string_view text);

}  // namespace raceway::server::moving
