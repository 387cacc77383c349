#include "http/api.hpp"

#include <span>
#include <string>
#include <utility>

#include "http/envelope.hpp"
#include "http/global_analysis_api.hpp"
#include "http/otlp_api.hpp"
#include "http/page_api.hpp"
#include "http/query.hpp"
#include "http/trace_analysis_api.hpp"
#include "http/trace_answers.hpp"
#include "http/trace_list_api.hpp"
#include "wire/errors.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::http {
namespace {

std::string rejections_json(std::span<const wire::Rejection> rejected) {
  std::string json = "[";
  for (const auto& rejection : rejected) {
    if (json.size() > 1) json += ',';
    json += "{\"index\":" + std::to_string(rejection.index) + ",\"id\":" + json_string(rejection.id) +
            ",\"reason\":" + json_string(rejection.reason) + '}';
  }
  return json + ']';
}

/// The envelope with four members more: what became of the body's events.
std::string ingest_json(const ingest::Answer& answer) {
  std::string summary = "Ingested " + std::to_string(answer.stored) + " events";
  if (answer.duplicates > 0) summary += ", " + std::to_string(answer.duplicates) + " duplicates";
  if (!answer.rejected.empty()) summary += ", " + std::to_string(answer.rejected.count()) + " rejected";
  std::string json = success_body(json_string(summary));
  json.pop_back();
  append_number(json, "stored", answer.stored);
  append_number(json, "duplicates", answer.duplicates);
  append_number(json, "rejected_count", answer.rejected.count());
  json += ",\"rejected\":" + rejections_json(answer.rejected.told()) + '}';
  return json;
}

Response post_events(Api& api, Request& request) {
  Response response;
  response.body = ingest_json(take_body(api, request));
  return response;
}

constexpr const char* phase_completed =
    R"({"phase":"completed","ready":true,"total_traces":0,"processed_traces":0,"last_trace":null,)"
    R"("started_at":null,"completed_at":null,"last_error":null})";

/// How full the storage is, and what went for that.
std::string fullness_json(const storage::Fullness& fullness) {
  std::string json = "{\"bytes\":" + std::to_string(fullness.bytes);
  append_number(json, "max_bytes", fullness.limits.max_bytes);
  append_number(json, "max_traces", fullness.limits.max_traces);
  append_number(json, "max_age_seconds", static_cast<std::uint64_t>(fullness.limits.max_age.count()));
  const auto all = fullness.evicted_in_all();
  std::string by_limit;
  for (std::size_t by = 0; by < storage::memory_limits; ++by) {
    const auto& [traces, events] = fullness.evicted[by];
    by_limit += by_limit.empty() ? "\"" : ",\"";
    by_limit.append(storage::names_of_memory_limits[by]).append(R"(":{"traces":)").append(std::to_string(traces));
    append_number(by_limit, "events", events);
    by_limit += '}';
  }
  append_number(json, "evicted_traces", all.traces);
  append_number(json, "evicted_events", all.events);
  return json + ",\"evicted_by\":{" + by_limit + "}}";
}

Response get_status(Api& api) {
  const auto totals = api.storage.totals();
  const auto uptime = std::chrono::steady_clock::now() - api.started;
  std::string json = R"({"version":)" + json_string(RACEWAY_VERSION);
  append_number(json, "uptime_seconds",
                static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(uptime).count()));
  append_number(json, "events_captured", totals.events);
  append_number(json, "traces_active", totals.traces);
  if (const auto fullness = api.storage.fullness()) json += ",\"memory\":" + fullness_json(*fullness);
  return success(json + ",\"warmup\":" + phase_completed + '}');
}

/// total_traces, page, page_size, total_pages and traces, each behind a comma.
std::string page_json(const storage::TracePage& found, const Page& page, std::string_view zone) {
  std::string json;
  append_number(json, "total_traces", found.total);
  append_number(json, "page", page.asked);
  append_number(json, "page_size", page.size);
  append_number(json, "total_pages", (found.total + page.size - 1) / page.size);
  json += ",\"traces\":[";
  for (std::size_t at = 0; at < found.traces.size(); ++at) {
    if (at > 0) json += ',';
    append_summary(json, found.traces[at], zone);
    json += '}';
  }
  return json + ']';
}

Response get_traces(Api& api, const Request& request) {
  if (asks_for_a_search(request)) return get_found_traces(api, request);
  const auto filter = query_filter(request);
  if (!request.query_parameter("page") && !request.query_parameter("page_size"))
    return export_traces(api.storage, filter, api.budget);
  const auto page = query_page(request, 20);
  const auto found = api.storage.list_traces(filter, page.number, page.size);
  return success('{' + page_json(found, page, "+00:00").substr(1) + '}');
}

Response get_trace(Api& api, const Request& request) {
  auto found = find_trace(api.storage, request, "Failed to fetch trace: ");
  return show_trace(api, found.id, std::move(found.events), query_event_page(request));
}

Response get_services(Api& api) {
  const auto services = api.storage.services();
  std::string json = "{\"total_services\":" + std::to_string(services.size()) + ",\"services\":[";
  for (std::size_t at = 0; at < services.size(); ++at) {
    if (at > 0) json += ',';
    json += "{\"name\":" + json_string(services[at].name);
    append_number(json, "event_count", services[at].event_count);
    append_number(json, "trace_count", services[at].trace_count);
    json += '}';
  }
  return success(json + "]}");
}

Response get_service_traces(Api& api, const Request& request) {
  storage::TraceFilter filter;
  filter.service = std::string(request.path_parameter("name"));
  const auto page = query_page(request, 100);
  const auto found = api.storage.list_traces(filter, page.number, page.size);
  return success("{\"service_name\":" + json_string(*filter.service) + page_json(found, page, "Z") + '}');
}

}  // namespace

ingest::Answer take_body(Api& api, Request& request) {
  try {
    return api.ingestor.take(std::move(request.body), std::move(request.held));
  } catch (const wire::TooManyEvents& error) {
    throw Refusal(413, std::string(error.what()) + "; send them in several bodies");
  } catch (const wire::BodyError& error) {
    throw Refusal(400, error.what());
  } catch (const storage::BodyTooLarge& error) {
    throw Refusal(413, error.what());
  }
}

void add_api_routes(Server& server, Api& api) {
  add_otlp_routes(server, api);
  server.route("POST", "/events", [&api](Request& request) { return post_events(api, request); });
  server.route("GET", "/health", [](Request&) { return success(phase_completed); });
  server.route("GET", "/status", [&api](Request&) { return get_status(api); });
  server.route("GET", "/api/traces", [&api](Request& request) { return get_traces(api, request); });
  server.route("GET", "/api/traces/:id", [&api](Request& request) { return get_trace(api, request); });
  add_trace_routes(server, api);
  add_global_routes(server, api);
  add_page_routes(server, api);
  server.route("GET", "/api/services", [&api](Request&) { return get_services(api); });
  server.route("GET", "/api/services/:name/traces",
               [&api](Request& request) { return get_service_traces(api, request); });
}

}  // namespace raceway::server::http
