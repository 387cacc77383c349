// Spans in Jaeger's JSON, as its UI downloads them: `{"data":[{"traceID":..,"spans":[..],"processes":{..}}]}`, or a
// trace alone.
#pragma once

#include <cstddef>

#include "wire/span_batch.hpp"
#include "wire/tree_reader.hpp"

namespace raceway::wire {

/// Whether the value that begins at `place` is an array of traces in this form. Moves the reader anywhere.
bool is_jaeger_traces(JsonReader& reader, std::size_t place);

/// Reads the traces of the array that begins next, and steps over it. The first CHILD_OF reference of a span is its
/// parent, all others are links. Throws BodyError where it is no such array, TooManyEvents; a span that cannot be kept
/// is rejected alone.
void read_jaeger_traces(TreeReader& trees, SpanBatch& spans);

/// The same for one trace, an object.
void read_jaeger_trace(TreeReader& trees, SpanBatch& spans);

}  // namespace raceway::wire
