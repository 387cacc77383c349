// Which web pages of other origins may call.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.hpp"

namespace raceway::server::http {

/// Thread-safe.
class CorsPolicy {
 public:
  explicit CorsPolicy(const Cors& cors);

  /// Whether pages of `origin` may call; without one, whether those of any may.
  bool allows(std::optional<std::string_view> origin) const;

  /// Whether the policy answers this request itself: an OPTIONS request while CORS is enabled.
  bool answers(std::string_view method) const { return enabled_ && method == "OPTIONS"; }

  /// The answer to such a request, to be decorated as well: 200, with permissions where the origin is allowed.
  Response preflight(const Fields& request) const;

  /// Adds what every answer must carry.
  void decorate(const Fields& request, Fields& response) const;

 private:
  /// What to say in Access-Control-Allow-Origin, or nothing.
  std::optional<std::string> allowed_origin(const Fields& request) const;

  bool enabled_;
  bool any_origin_;
  std::vector<std::string> origins_;
};

}  // namespace raceway::server::http
