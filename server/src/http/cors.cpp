#include "http/cors.hpp"

#include <algorithm>
#include <string>

#include "http/text.hpp"

namespace raceway::server::http {
namespace {

/// An entry that ends in ":*" stands for every port, the one that need not be written, too.
bool matches(std::string_view entry, std::string_view origin) {
  constexpr std::string_view any_port = ":*";
  if (!entry.ends_with(any_port)) return entry == origin;
  entry.remove_suffix(any_port.size());
  if (!origin.starts_with(entry)) return false;
  origin.remove_prefix(entry.size());
  if (origin.empty()) return true;
  const auto port = origin.substr(1);
  return origin.front() == ':' && !port.empty() &&
         std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

CorsPolicy::CorsPolicy(const Cors& cors)
    : enabled_(cors.enabled),
      any_origin_(std::find(cors.origins.begin(), cors.origins.end(), "*") != cors.origins.end()),
      origins_(cors.origins) {}

bool CorsPolicy::allows(std::optional<std::string_view> origin) const {
  if (!enabled_) return false;
  return any_origin_ || (origin && std::any_of(origins_.begin(), origins_.end(),
                                               [&](const std::string& entry) { return matches(entry, *origin); }));
}

std::optional<std::string> CorsPolicy::allowed_origin(const Fields& request) const {
  if (any_origin_) return "*";
  const auto origin = find_header(request, "Origin");
  if (!origin || !allows(origin)) return std::nullopt;
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
