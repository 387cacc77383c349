#include "http/cors.hpp"

#include <algorithm>
#include <string>

#include "http/text.hpp"

namespace raceway::server::http {

CorsPolicy::CorsPolicy(const Cors& cors)
    : enabled_(cors.enabled),
      any_origin_(std::find(cors.origins.begin(), cors.origins.end(), "*") != cors.origins.end()),
      origins_(cors.origins) {}

std::optional<std::string> CorsPolicy::allowed_origin(const Fields& request) const {
  if (any_origin_) return "*";
  const auto origin = find_header(request, "Origin");
  if (!origin || std::find(origins_.begin(), origins_.end(), *origin) == origins_.end()) return std::nullopt;
  return std::string(*origin);
}

Response CorsPolicy::preflight(const Fields& request) const {
  Response response;
  if (allowed_origin(request)) {
    response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    // Echoed, for "*" would not cover Authorization.
    const auto asked = find_header(request, "Access-Control-Request-Headers");
    response.headers.emplace_back("Access-Control-Allow-Headers", asked ? std::string(*asked) : "*");
    response.headers.emplace_back("Access-Control-Max-Age", "86400");
  }
  return response;
}

void CorsPolicy::decorate(const Fields& request, Fields& response) const {
  if (!enabled_) return;
  if (!any_origin_) response.emplace_back("Vary", "Origin");
  const auto allowed = allowed_origin(request);
  if (!allowed) return;
  response.emplace_back("Access-Control-Allow-Origin", *allowed);
  response.emplace_back("Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
}

}  // namespace raceway::server::http
