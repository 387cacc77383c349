#include "http/operations.hpp"

#include <chrono>
#include <utility>

#include "http/envelope.hpp"

namespace raceway::server::http {

void add_operations_routes(Server& server, Operations operations) {
  const RouteOptions open{.body = std::nullopt, .open = true, .limited = false};
  const auto live = [](Request&) { return success(R"({"live":true})"); };
  server.route("GET", "/health/live", live, open);
  server.route(
      "GET", "/health/ready",
      [not_ready = std::move(operations.not_ready)](Request&) {
        if (const auto reason = not_ready()) return failure(503, "not ready: " + *reason, std::chrono::seconds(1));
        return success(R"({"ready":true})");
      },
      open);
  if (operations.access == config::MetricsAccess::off) return;
  RouteOptions options = open;
  options.open = operations.access == config::MetricsAccess::open;
  server.route(
      "GET", "/metrics",
      [metrics = std::move(operations.metrics)](Request&) {
        Response response;
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = metrics();
        return response;
      },
      options);
}

}  // namespace raceway::server::http
