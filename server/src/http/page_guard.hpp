// What web pages that somebody visits may make of a browser that reaches this server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/cors.hpp"
#include "http/message.hpp"

namespace raceway::server::http {

/// A page has no API key, so this is about requests without one. A page of another origin can send requests, even where
/// it cannot read the answers; a page whose name its owner has pointed at this machine (DNS rebinding) seems to be of
/// the same origin, and only the name in Host tells. Thread-safe once listening_on_loopback() was called.
class PageGuard {
 public:
  /// `cors` outlives it. `keys_asked`: API keys are in force.
  PageGuard(const CorsPolicy& cors, std::vector<std::string> allowed_hosts, bool keys_asked)
      : cors_(cors), allowed_hosts_(std::move(allowed_hosts)), keys_asked_(keys_asked) {}

  /// Nobody but this machine can be meant: Host has to say so.
  void listening_on_loopback() { loopback_ = true; }

  /// Why the request is not served, and which key of the configuration would let it in; nothing where it is served.
  std::optional<std::string> refusal(std::string_view method, const Fields& headers, bool has_key) const;

 private:
  bool knows_host(std::string_view host) const;
  std::optional<std::string> foreign_page(const Fields& headers, std::string_view host) const;

  const CorsPolicy& cors_;
  const std::vector<std::string> allowed_hosts_;
  const bool keys_asked_;
  bool loopback_ = false;
};

/// Whether a browser sent this: other clients have no need of the fields that tell.
bool from_browser(const Fields& headers);

}  // namespace raceway::server::http
