// The door for programs with OpenTelemetry: OTLP over HTTP, in protobuf and JSON.
#pragma once

#include "http/api.hpp"

namespace raceway::server::http {

/// POST /v1/traces, answered as opentelemetry.io/docs/specs/otlp says, in the encoding of the request; and what says
/// that there is no such thing for metrics and logs.
void add_otlp_routes(Server& server, Api& api);

}  // namespace raceway::server::http
