// Spans in Zipkin's JSON, version 2: an array of spans, or of traces that are such arrays.
#pragma once

#include <cstddef>

#include "wire/span_batch.hpp"
#include "wire/tree_reader.hpp"

namespace raceway::wire {

/// Whether the value that begins at `place` is such an array, to tell by its first span. Moves the reader anywhere.
bool is_zipkin_spans(JsonReader& reader, std::size_t place);

/// Reads the array that begins next, and steps over it. A server's half of a shared span (`"shared":true`) has the id
/// of its client's: it is a span of its own, the child of that one, and the parent of those in this body that name its
/// id. Throws BodyError where it is no such array, TooManyEvents; a span that cannot be kept is rejected alone.
void read_zipkin_spans(TreeReader& trees, SpanBatch& spans);

}  // namespace raceway::wire
