#include "http/trace_analysis_api.hpp"

#include <utility>

#include "analysis/trace_analysis.hpp"
#include "analysis/trace_view.hpp"
#include "http/envelope.hpp"
#include "http/trace_answers.hpp"
#include "wire/uuid.hpp"

namespace raceway::server::http {
namespace {

/// A trace and its analysis, the one referring to the other.
struct Analyzed {
  Analyzed(Api& api, const Request& request, std::string_view failure)
      : found(find_trace(api.storage, request, failure)), trace(*found.events, api.budget) {}

  FoundTrace found;
  analysis::TraceAnalysis trace;
};

/// The id as it was typed.
std::string_view typed_id(const Request& request) {
  return request.path_parameter("id");
}

Response get_critical_path(Api& api, const Request& request) {
  Analyzed analyzed(api, request, "Critical path analysis failed: ");
  return success(analysis::critical_path_json(analyzed.trace, typed_id(request)));
}

Response get_dependencies(Api& api, const Request& request) {
  const Analyzed analyzed(api, request, "Dependency analysis failed: ");
  return success(analysis::dependencies_json(analyzed.trace, typed_id(request)));
}

/// Of an unknown trace there are none.
Response get_anomalies(Api& api, const Request& request) {
  analysis::Anomalies anomalies;
  try {
    Analyzed analyzed(api, request, "");
    anomalies = anomalies_of(api, analyzed.trace, analyzed.found.id);
  } catch (const Refusal& refusal) {
    if (refusal.status() != 404) throw;
  }
  std::string json = R"({"trace_id":)" + json_string(typed_id(request));
  append_number(json, "anomaly_count", anomalies.count);
  return success(json + ",\"anomalies\":" + anomalies.list + '}');
}

/// The accesses to one variable; made as they are sent.
Response get_audit_trail(Api& api, const Request& request) {
  struct Shown : Analyzed {
    using Analyzed::Analyzed;
    std::vector<causality::AuditTrail> trails;
    std::string begin;
  };
  const auto shown = std::make_shared<Shown>(api, request, "Audit trail generation failed: ");
  const std::string variable(request.path_parameter("variable"));
  shown->trails = causality::audit_trails(shown->trace.happened(), shown->trace.locks(), variable);
  shown->begin = R"({"success":true,"data":{"trace_id":)" + json_string(typed_id(request)) + R"(,"variable":)" +
                 json_string(variable) + R"(,"accesses":[)";
  Response response;
  response.stream = [shown](const Write& write) {
    if (!write(shown->begin)) return false;
    for (const auto& trail : shown->trails) {
      if (!analysis::write_accesses(shown->trace, trail, write)) return false;
    }
    return write(R"(]},"error":null})");
  };
  return response;
}

Response get_relation(Api& api, const Request& request) {
  const auto a = request.query_parameter("a");
  const auto b = request.query_parameter("b");
  if (!a || !b) return failure(400, "a and b: the ids of two events of the trace");
  Analyzed analyzed(api, request, "Relation failed: ");
  const auto json = analysis::relation_json(analyzed.trace, *a, *b);
  if (!json) {
    const auto missing = analyzed.trace.find(*a) ? *b : *a;
    return failure(404, "Relation failed: the trace has no event " + std::string(missing));
  }
  return success(*json);
}

}  // namespace

FoundTrace find_trace(storage::Storage& storage, const Request& request, std::string_view failure) {
  std::string id(request.path_parameter("id"));
  const auto uuid = wire::canonical_uuid(id);
  auto events = storage.trace(id);
  if (!events && uuid && *uuid != id) events = storage.trace(id = *uuid);
  if (!events && !uuid) throw Refusal(400, "Invalid trace ID format");
  if (!events) throw Refusal(404, std::string(failure) + "Trace not found: " + *uuid);
  return {std::move(id), std::move(events)};
}

void add_trace_routes(Server& server, Api& api) {
  server.route("GET", "/api/traces/:id/critical-path",
               [&api](Request& request) { return get_critical_path(api, request); });
  server.route("GET", "/api/traces/:id/anomalies", [&api](Request& request) { return get_anomalies(api, request); });
  server.route("GET", "/api/traces/:id/dependencies",
               [&api](Request& request) { return get_dependencies(api, request); });
  server.route("GET", "/api/traces/:id/audit-trail/:variable",
               [&api](Request& request) { return get_audit_trail(api, request); });
  server.route("GET", "/api/traces/:id/relation", [&api](Request& request) { return get_relation(api, request); });
}

}  // namespace raceway::server::http
