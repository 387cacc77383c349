// Spans as OpenTelemetry's exporters send them: an ExportTraceServiceRequest in protobuf
// (opentelemetry/proto/collector/trace/v1/trace_service.proto).
#pragma once

#include <string_view>

#include "wire/span_batch.hpp"

namespace raceway::wire {

/// Whether a body is such a request and no JSON: it begins with its only field, and holds what no JSON text holds.
bool is_otlp_protobuf(std::string_view body);

/// Reads the spans of a request. Views of their texts are kept. Unknown fields are skipped, groups refused.
/// Throws BodyError where it is none, TooManyEvents; a span that cannot be kept is rejected alone.
void read_otlp_protobuf(std::string_view body, SpanBatch& spans);

}  // namespace raceway::wire
