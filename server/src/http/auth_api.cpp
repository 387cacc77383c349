#include "http/auth_api.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "http/envelope.hpp"
#include "http/text.hpp"

namespace raceway::server::http {
namespace {

constexpr std::string_view cookie_name = "raceway_session";

std::string cookie(std::string_view token, std::chrono::seconds lifetime) {
  return std::string(cookie_name) + '=' + std::string(token) +
         "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(lifetime.count());
}

/// The session that the request's cookies name, or empty.
std::string_view token_of(const Request& request) {
  auto rest = find_header(request.headers, "Cookie").value_or(std::string_view());
  while (!rest.empty()) {
    const auto end = std::min(rest.find(';'), rest.size());
    const auto each = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (each.starts_with(cookie_name) && each.substr(cookie_name.size()).starts_with('='))
      return each.substr(cookie_name.size() + 1);
  }
  return {};
}

/// Without the envelope, as its clients know it.
Response told(int status, bool success, std::string_view message) {
  Response response;
  response.status = status;
  response.body =
      std::string(R"({"success":)") + (success ? "true" : "false") + R"(,"message":)" + json_string(message) + '}';
  return response;
}

Response login(Sessions& sessions, const Request& request) {
  if (!sessions.required()) return failure(400, "UI authentication is not enabled");
  const auto json = nlohmann::json::parse(request.body, nullptr, false);
  if (!json.is_object() || !json.contains("password") || !json["password"].is_string())
    return failure(400, R"(expected {"password":"..."})");
  const auto outcome = sessions.login(json["password"].get_ref<const std::string&>());
  switch (outcome.outcome) {
    case Sessions::Outcome::too_many:
      return failure(429, "Too many wrong passwords", std::chrono::seconds(60));
    case Sessions::Outcome::wrong_password:
      return told(401, false, "Invalid password");
    case Sessions::Outcome::signed_in:
      break;
  }
  auto response = told(200, true, "Login successful");
  response.headers.emplace_back("Set-Cookie", cookie(outcome.token, Sessions::lifetime));
  return response;
}

Response logout(Sessions& sessions, const Request& request) {
  sessions.logout(token_of(request));
  auto response = told(200, true, "Logged out successfully");
  response.headers.emplace_back("Set-Cookie", cookie("", std::chrono::seconds(0)));
  return response;
}

Response check(Sessions& sessions, const Request& request) {
  const bool authenticated = !sessions.required() || sessions.knows(token_of(request));
  Response response;
  response.body = std::string(R"({"authenticated":)") + (authenticated ? "true" : "false") + R"(,"auth_required":)" +
                  (sessions.required() ? "true" : "false") + '}';
  return response;
}

}  // namespace

void add_auth_routes(Server& server, Sessions& sessions) {
  const auto route = [&](std::string_view method, std::string_view path, auto handler, RouteOptions options) {
    options.open = true;
    server.route(
        method, path, [&sessions, handler](Request& request) { return handler(sessions, request); }, options);
  };
  route("POST", "/auth/login", login, {});
  route("POST", "/auth/logout", logout, {.body = Body::any});
  route("GET", "/auth/check", check, {});
}

}  // namespace raceway::server::http
