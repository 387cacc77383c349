// The routes that answer questions about one trace.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/api.hpp"
#include "http/server.hpp"

namespace raceway::server::http {

struct FoundTrace {
  std::string id;  ///< as it is stored
  std::unique_ptr<storage::TraceEvents> events;
};

/// The trace that the path parameter `id` names, a UUID in any of its forms. Throws Refusal: 400 for what is neither a
/// trace nor a UUID, else 404, which begins with `failure`.
FoundTrace find_trace(storage::Storage& storage, const Request& request, std::string_view failure);

/// /api/traces/:id/critical-path, /anomalies, /dependencies, /audit-trail/:variable, /relation
void add_trace_routes(Server& server, Api& api);

}  // namespace raceway::server::http
