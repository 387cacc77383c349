#include "http/page_guard.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "config/network.hpp"
#include "http/text.hpp"

namespace raceway::server::http {
namespace {

/// Of "name", "name:80", "[::1]:80": the name or address, without the dot that may end a name.
std::string_view name_in(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  host = host.substr(0, host.find(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

bool ends_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

/// The port that a scheme stands for need not be written.
std::string_view without_port(std::string_view authority, std::string_view port) {
  return authority.ends_with(port) ? authority.substr(0, authority.size() - port.size()) : authority;
}

/// TLS may end in front of this server, so the scheme tells nothing.
bool is_own(std::string_view origin, std::string_view host) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> schemes{
      {{"http://", ":80"}, {"https://", ":443"}}};
  return std::any_of(schemes.begin(), schemes.end(), [&](const auto& known) {
    const auto& [scheme, port] = known;
    return origin.starts_with(scheme) && !host.empty() &&
           equal_ignoring_case(without_port(origin.substr(scheme.size()), port), without_port(host, port));
  });
}

}  // namespace

bool PageGuard::knows_host(std::string_view host) const {
  const auto name = name_in(host);
  if (config::parse_address(name) || equal_ignoring_case(name, "localhost") || ends_ignoring_case(name, ".localhost"))
    return true;
  return std::any_of(allowed_hosts_.begin(), allowed_hosts_.end(),
                     [&](const std::string& allowed) { return equal_ignoring_case(name, name_in(allowed)); });
}

std::optional<std::string> PageGuard::foreign_page(const Fields& headers, std::string_view host) const {
  const auto origin = find_header(headers, "Origin");
  if (cors_.allows(origin)) return std::nullopt;
  const bool cross_site = find_header(headers, "Sec-Fetch-Site") == "cross-site";
  if (!cross_site && (!origin || is_own(*origin, host))) return std::nullopt;
  return "Web pages of " + (origin ? std::string(*origin) : "other sites") +
         " may not call this server; name their origin in server.cors_origins";
}

std::optional<std::string> PageGuard::refusal(std::string_view method, const Fields& headers, bool has_key) const {
  // A preflight cannot carry the key.
  if (has_key || (keys_asked_ && method == "OPTIONS")) return std::nullopt;
  const auto host = find_header(headers, "Host");
  if (host && (loopback_ || !allowed_hosts_.empty()) && !knows_host(*host))
    return "This server is not known as " + std::string(*host) + "; name the host in server.allowed_hosts";
  return keys_asked_ ? std::nullopt : foreign_page(headers, host.value_or(""));
}

bool from_browser(const Fields& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& field) {
    const std::string_view name = field.first;
    return equal_ignoring_case(name, "Origin") || equal_ignoring_case(name.substr(0, 10), "Sec-Fetch-");
  });
}

}  // namespace raceway::server::http
