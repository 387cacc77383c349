#include "http/global_analysis_api.hpp"

#include <functional>
#include <string>

#include "analysis/global_report.hpp"
#include "http/envelope.hpp"
#include "http/query.hpp"

namespace raceway::server::http {
namespace {

using analysis::RolledUp;

constexpr std::uint64_t usual_races = 100;
constexpr std::uint64_t usual_traces = 50;
constexpr std::uint64_t usual_minutes = 60;

Response answer(Api& api, const std::function<std::string(const RolledUp&)>& json_of) {
  std::string json;
  api.roll_ups.read([&](const RolledUp& rolled_up) { json = json_of(rolled_up); });
  return success(json);
}

std::uint64_t limit_of(const Request& request, std::uint64_t usual) {
  return std::min(query_number(request, "limit", usual, 1), max_page_size);
}

Response get_races(Api& api, const Request& request) {
  const auto page = query_page(request, usual_races);
  return answer(api, [&](const RolledUp& all) { return races_json(all, (page.number - 1) * page.size, page.size); });
}

Response get_races_of_key(Api& api, const Request& request) {
  std::string json;
  api.roll_ups.read(
      [&](const RolledUp& all) { json = analysis::races_of_key_json(all, request.path_parameter("key")); });
  return json.empty() ? failure(404, "there is no race of this key") : success(json);
}

Response get_services_health(Api& api, const Request& request) {
  // As long as anybody likes: beyond some millions of years it is the same.
  constexpr std::uint64_t longest = 1'000'000'000'000;
  const auto minutes = std::min(query_number(request, "time_window_minutes", usual_minutes, 0), longest);
  return answer(api, [&](const RolledUp& all) {
    return services_health_json(all, std::chrono::minutes(static_cast<std::int64_t>(minutes)));
  });
}

}  // namespace

void add_global_routes(Server& server, Api& api) {
  server.route("GET", "/api/analyze/global", [&api](Request&) {
    return answer(api, [&](const RolledUp& all) { return global_json(all, api.storage, api.budget); });
  });
  server.route("GET", "/api/races", [&api](Request& request) { return get_races(api, request); });
  server.route("GET", "/api/races/:key", [&api](Request& request) { return get_races_of_key(api, request); });
  server.route("GET", "/api/services/health", [&api](Request& request) { return get_services_health(api, request); });
  server.route("GET", "/api/services/:name/dependencies", [&api](Request& request) {
    return answer(api,
                  [&](const RolledUp& all) { return service_dependencies_json(all, request.path_parameter("name")); });
  });
  server.route("GET", "/api/performance/metrics", [&api](Request& request) {
    return answer(api, [&](const RolledUp& all) { return performance_json(all, limit_of(request, usual_traces)); });
  });
  server.route("GET", "/api/distributed/edges", [&api](Request&) { return answer(api, analysis::edges_json); });
  server.route("GET", "/api/distributed/global-races", [&api](Request& request) {
    return answer(api, [&](const RolledUp& all) { return shared_variables_json(all, limit_of(request, usual_races)); });
  });
  server.route("GET", "/api/distributed/hotspots", [&api](Request&) { return answer(api, analysis::hotspots_json); });
}

}  // namespace raceway::server::http
