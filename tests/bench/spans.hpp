// Spans to be sent as OpenTelemetry's exporters send them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace raceway::bench {

/// An ExportTraceServiceRequest of the spans numbered [first, first + count), those that end first in front. Ten spans
/// of a request make a trace: what serves it, what it calls, and its queries; two of them write a variable each, the
/// others have no events. Equal numbers are equal spans.
std::string spans_in_protobuf(std::uint64_t first, std::size_t count);

}  // namespace raceway::bench
