// Spans in OTLP's JSON: `{"resourceSpans":[{"resource":{..},"scopeSpans":[{"scope":{..},"spans":[..]}]}]}`.
#pragma once

#include "wire/span_batch.hpp"
#include "wire/tree_reader.hpp"

namespace raceway::wire {

/// The name of the request's field.
inline constexpr std::string_view otlp_spans_field = "resourceSpans";

/// Reads the array behind that name, which begins next, and steps over it. Ids may be hex or base64, 64-bit numbers
/// strings or numbers, enums numbers or names. Throws BodyError where it is no such array, TooManyEvents; a span that
/// cannot be kept is rejected alone.
void read_otlp_json(TreeReader& trees, SpanBatch& spans);

}  // namespace raceway::wire
