#include "spans.hpp"

#include <array>
#include <protozero/pbf_writer.hpp>
#include <string_view>

#include "traffic.hpp"

namespace raceway::bench {
namespace {

using protozero::pbf_writer;

constexpr std::uint64_t spans_of_trace = 10;
constexpr std::uint64_t first_time = 1'790'000'000'000'000'000;
constexpr std::uint64_t nanos_between_starts = 20'000;

template <class... Words>
std::string bytes_of(Words... words) {
  std::string bytes;
  for (const std::uint64_t word : {words...}) {
    for (unsigned shift = 64; shift > 0; shift -= 8) bytes += static_cast<char>(word >> (shift - 8));
  }
  return bytes;
}

std::string trace_id(std::uint64_t number) {
  const std::uint64_t trace = number / spans_of_trace;
  return bytes_of(spread(2 * trace), spread(2 * trace + 1));
}

std::string span_id(std::uint64_t number) {
  return bytes_of(spread(~number));
}

void add_attribute(pbf_writer& message, std::uint32_t field, std::string_view key, std::string_view value) {
  pbf_writer attribute(message, field);
  attribute.add_string(1, key.data(), key.size());
  pbf_writer(attribute, 2).add_string(1, value.data(), value.size());
}

void add_attribute(pbf_writer& message, std::uint32_t field, std::string_view key, std::int64_t value) {
  pbf_writer attribute(message, field);
  attribute.add_string(1, key.data(), key.size());
  pbf_writer(attribute, 2).add_int64(3, value);
}

/// What an access to a variable adds to a span.
void add_write(pbf_writer& span, std::uint64_t number, std::uint64_t time) {
  pbf_writer moment(span, 11);
  moment.add_fixed64(1, time);
  moment.add_string(2, "stock");
  add_attribute(moment, 3, "raceway.variable", "stock[" + std::to_string(number / spans_of_trace % 1000) + "]");
  add_attribute(moment, 3, "raceway.access", "write");
  add_attribute(moment, 3, "raceway.old", static_cast<std::int64_t>(number % 500));
  add_attribute(moment, 3, "raceway.new", static_cast<std::int64_t>(number % 500 + 1));
}

void add_request(pbf_writer& span) {
  span.add_string(5, "POST /orders");
  span.add_enum(6, 2);
  add_attribute(span, 9, "http.request.method", "POST");
  add_attribute(span, 9, "url.path", "/orders");
  add_attribute(span, 9, "server.address", "shop.example");
  add_attribute(span, 9, "http.response.status_code", 201);
}

void add_query(pbf_writer& span) {
  span.add_string(5, "SELECT stock");
  span.add_enum(6, 3);
  add_attribute(span, 9, "db.system.name", "postgresql");
  add_attribute(span, 9, "db.namespace", "shop");
  add_attribute(span, 9, "db.query.text", "SELECT amount FROM stock WHERE article = $1");
}

void add_function(pbf_writer& span, std::uint64_t place) {
  span.add_string(5, "reserve");
  span.add_enum(6, 1);
  add_attribute(span, 9, "code.function.name", "shop.orders.reserve");
  add_attribute(span, 9, "code.file.path", "src/orders.rs");
  add_attribute(span, 9, "code.line.number", static_cast<std::int64_t>(100 + place));
  add_attribute(span, 9, "thread.id", static_cast<std::int64_t>(place % 4));
}

void add_span(pbf_writer& scope_spans, std::uint64_t number) {
  const std::uint64_t place = number % spans_of_trace;
  const std::uint64_t start = first_time + number * nanos_between_starts;
  pbf_writer span(scope_spans, 2);
  span.add_bytes(1, trace_id(number));
  span.add_bytes(2, span_id(number));
  if (place != 0) span.add_bytes(4, span_id(number - place + (place - 1) / 2));
  span.add_fixed64(7, start);
  span.add_fixed64(8, start + (spans_of_trace - place) * nanos_between_starts);
  if (place == 0) {
    add_request(span);
  } else if (place % 2 == 0) {
    add_query(span);
  } else {
    add_function(span, place);
  }
  if (place == 3 || place == 5) add_write(span, number, start + nanos_between_starts / 2);
}

}  // namespace

std::string spans_in_protobuf(std::uint64_t first, std::size_t count) {
  std::string body;
  {
    pbf_writer request(body);
    pbf_writer resource_spans(request, 1);
    {
      pbf_writer resource(resource_spans, 1);
      add_attribute(resource, 1, "service.name", "shop");
      add_attribute(resource, 1, "service.instance.id", "shop-7d9f");
      add_attribute(resource, 1, "process.pid", 4711);
      add_attribute(resource, 1, "telemetry.sdk.language", "rust");
    }
    pbf_writer scope_spans(resource_spans, 2);
    pbf_writer(scope_spans, 1).add_string(1, "shop.orders");
    for (std::uint64_t number = first + count; number-- > first;) add_span(scope_spans, number);
  }
  return body;
}

}  // namespace raceway::bench
