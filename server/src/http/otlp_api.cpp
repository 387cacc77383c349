#include "http/otlp_api.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <set>
#include <string>
#include <string_view>

#include "causality/cut_text.hpp"
#include "http/content.hpp"
#include "http/envelope.hpp"
#include "wire/otlp_protobuf.hpp"

namespace raceway::server::http {
namespace {

constexpr std::size_t longest_message = 4096;

bool asks_in_protobuf(const Request& request) {
  return is_protobuf_type(request.header("Content-Type").value_or(""));
}

Response encoded(std::string body, bool in_protobuf, int status = 200) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  if (in_protobuf) response.content_type = "application/x-protobuf";
  return response;
}

/// What of a request was not kept, for an ExportTracePartialSuccess.
struct PartialSuccess {
  std::uint64_t spans = 0;
  std::string message;
};

std::optional<PartialSuccess> partial_success(const ingest::Answer& answer) {
  if (answer.rejected.empty()) return std::nullopt;
  PartialSuccess partial;
  std::set<std::uint32_t> spans;
  for (const auto& [index, id, reason] : answer.rejected.told()) {
    spans.insert(index);
    if (partial.message.size() >= longest_message) continue;
    if (!partial.message.empty()) partial.message += "; ";
    partial.message += "span " + std::to_string(index);
    if (!id.empty()) partial.message.append(" (").append(id).append(")");
    partial.message.append(": ").append(reason);
  }
  partial.message.resize(causality::first_bytes(partial.message, longest_message).size());
  partial.spans = spans.size() + answer.rejected.untold();
  return partial;
}

std::string protobuf_answer(const std::optional<PartialSuccess>& partial) {
  std::string answer;
  if (!partial) return answer;
  std::string message;
  protozero::pbf_writer fields(message);
  fields.add_int64(1, static_cast<std::int64_t>(partial->spans));
  fields.add_string(2, partial->message);
  protozero::pbf_writer(answer).add_message(1, message);
  return answer;
}

std::string json_answer(const std::optional<PartialSuccess>& partial) {
  if (!partial) return "{}";
  return R"({"partialSuccess":{"rejectedSpans":")" + std::to_string(partial->spans) + R"(","errorMessage":)" +
         json_string(partial->message) + "}}";
}

bool is_empty_request(std::string_view body, bool in_protobuf) {
  if (in_protobuf) return body.empty();
  constexpr auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  std::string plain(body.substr(0, 64));
  std::erase_if(plain, blank);
  return body.size() <= 64 && plain == "{}";
}

Response post_spans(Api& api, Request& request) {
  const bool in_protobuf = asks_in_protobuf(request);
  if (is_empty_request(request.body, in_protobuf)) return encoded(in_protobuf ? "" : "{}", in_protobuf);
  if (in_protobuf != wire::is_otlp_protobuf(request.body)) {
    throw Refusal(400, in_protobuf ? "The body is no ExportTraceServiceRequest in protobuf"
                                   : "The body is protobuf; send Content-Type: application/x-protobuf");
  }
  const auto partial = partial_success(take_body(api, request));
  return encoded(in_protobuf ? protobuf_answer(partial) : json_answer(partial), in_protobuf);
}

/// google.rpc.Code, as far as clients may look at it.
int code_of(int status) {
  switch (status) {
    case 400:
    case 413:
    case 415:
      return 3;  // INVALID_ARGUMENT
    case 401:
      return 16;  // UNAUTHENTICATED
    case 403:
      return 7;  // PERMISSION_DENIED
    case 404:
      return 5;  // NOT_FOUND
    case 429:
      return 8;  // RESOURCE_EXHAUSTED
    case 503:
      return 14;  // UNAVAILABLE
    default:
      return 13;  // INTERNAL
  }
}

/// As a google.rpc.Status.
void tell_failure(const Request& request, Response& response) {
  const int code = code_of(response.status);
  const bool in_protobuf = asks_in_protobuf(request);
  response.body.clear();
  if (in_protobuf) {
    protozero::pbf_writer status(response.body);
    status.add_int32(1, code);
    status.add_string(2, response.error);
    response.content_type = "application/x-protobuf";
  } else {
    response.body = R"({"code":)" + std::to_string(code) + R"(,"message":)" + json_string(response.error) + '}';
  }
}

Response no_such_signal(const std::string& what, const std::string& variable) {
  return failure(404, "Raceway keeps traces, no " + what + "; set " + variable + "=none");
}

}  // namespace

void add_otlp_routes(Server& server, Api& api) {
  RouteOptions options;
  options.body = Body::json_or_protobuf;
  options.tell_failure = tell_failure;
  server.route(
      "POST", "/v1/traces", [&api](Request& request) { return post_spans(api, request); }, options);
  options.body = Body::none;
  server.route(
      "POST", "/v1/metrics", [](Request&) { return no_such_signal("metrics", "OTEL_METRICS_EXPORTER"); }, options);
  server.route(
      "POST", "/v1/logs", [](Request&) { return no_such_signal("logs", "OTEL_LOGS_EXPORTER"); }, options);
}

}  // namespace raceway::server::http
