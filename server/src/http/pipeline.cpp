#include "http/pipeline.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "http/envelope.hpp"
#include "http/text.hpp"
#include "observability/request_id.hpp"
#include "storage/storage.hpp"

namespace raceway::server::http {
namespace {

using std::chrono::seconds;

/// So much of a body that nobody wants is read, or a piece more, to keep the connection.
constexpr std::size_t most_skipped = 64 * 1024;

/// Answers of this size are always given: whether the server lives, how full it is, why something is refused.
constexpr std::size_t largest_uncounted = 64 * 1024;

std::string bytes_text(std::size_t bytes) {
  return std::to_string(bytes) + " bytes";
}

std::string_view default_reason(int status) {
  switch (status) {
    case 400:
      return "Bad request: the request line or a header could not be read";
    case 414:
      return "The URL is too long";
    default:
      return "The request could not be read";
  }
}

}  // namespace

Pipeline::Pipeline(const Options& options, const Hooks& hooks, Router& router, SpareBuffers& buffers,
                   const TrustedProxies& proxies, const FairShare& share)
    : options_(options),
      hooks_(hooks),
      router_(router),
      buffers_(buffers),
      keys_(options.api_keys),
      cors_(options.cors),
      pages_(cors_, options.allowed_hosts, options.auth_enabled),
      proxies_(proxies),
      share_(share),
      limiter_(options.rate_limit),
      uploads_(std::max<std::size_t>(1, options.limits.threads / 2)),
      streams_(std::max<std::size_t>(1, options.limits.threads / 4)) {}

Response Pipeline::answer(Exchange& exchange, std::string_view target) {
  auto& request = exchange.request;
  const observability::RequestScope scope(
      observability::accept_request_id(request.header("X-Request-Id").value_or("")));
  request.request_id = scope.id();
  auto response = guarded(exchange, [&] { return respond(exchange, target); });
  tell_failure(exchange, response);
  skip_body(exchange);
  cors_.decorate(request.headers, response.headers);
  response.headers.emplace_back("X-Request-Id", request.request_id);
  if (response.stream) guard_stream(exchange, response);
  return response;
}

Response Pipeline::refuse(Exchange& exchange, int status) {
  exchange.request.request_id = observability::new_request_id();
  auto response = failure(status, default_reason(status));
  response.headers.emplace_back("X-Request-Id", exchange.request.request_id);
  return response;
}

void Pipeline::tell_failure(const Exchange& exchange, Response& response) {
  if (response.error.empty() || exchange.route == nullptr || !exchange.route->tell_failure) return;
  exchange.route->tell_failure(exchange.request, response);
}

RouteMatch Pipeline::find_route(Exchange& exchange, std::string_view target) const {
  auto& request = exchange.request;
  const auto parts = split_target(target);
  auto match = router_.find(request.method, parts.path);
  request.client = proxies_.client_of(exchange.connection.peer(), request.headers);
  request.path = percent_decoded(parts.path, false).value_or(std::string(parts.path));
  exchange.route = match.route;
  if (match.route != nullptr) request.route = match.route->pattern;
  return match;
}

Response Pipeline::respond(Exchange& exchange, std::string_view target) {
  auto& request = exchange.request;
  auto match = find_route(exchange, target);
  request.path_parameters = std::move(match.parameters);
  if (auto refusal = gate(exchange, match, Rate::counts)) return std::move(*refusal);

  const auto parts = split_target(target);
  auto query = parse_query(parts.query);
  if (!query || !percent_decoded(parts.path, false))
    throw Refusal(400, "The URL has a '%' that two hexadecimal digits do not follow");
  request.query = std::move(*query);
  if (match.route->body == Body::none)
    skip_body(exchange);
  else
    read_body(exchange, check_content(exchange, *match.route));
  return handle(exchange, *match.route);
}

std::unique_ptr<Upload> Pipeline::begin_upload(Exchange& exchange, std::string_view target) {
  try {
    const auto match = find_route(exchange, target);
    if (match.route == nullptr || match.route->body == Body::none || gate(exchange, match, Rate::is_looked_at))
      return nullptr;
    return std::make_unique<Upload>(exchange.framing, check_content(exchange, *match.route), options_.limits,
                                    *options_.budget, buffers_);
  } catch (const std::exception&) {  // answer() comes to the same, and says it
    return nullptr;
  }
}

Allowance::Hold Pipeline::take_share(Allowance& of, const Exchange& exchange) {
  const auto& client = exchange.request.client;
  auto hold = of.take(client_network(client), share_.of(of.most(), client, exchange.connection.peer()));
  if (!hold) ++refused_;
  return hold;
}

Upload::State Pipeline::read(Upload& upload, Exchange& exchange) {
  const auto state = upload.read(exchange.connection);
  if (state != Upload::State::more || !upload.needs_leave()) return state;
  auto leave = take_share(uploads_, exchange);
  if (!leave) return upload.refuse(Refusal(503, "Too many slow uploads at the moment; try again", seconds(1)));
  upload.give_leave(std::move(leave));
  return state;
}

std::optional<seconds> Pipeline::wait_for_rate(const std::string& client, Rate rate) {
  return rate == Rate::counts ? limiter_.admit(client, Clock::now()) : limiter_.wait(client, Clock::now());
}

/// Steps 3 to 6.
std::optional<Response> Pipeline::gate(Exchange& exchange, const RouteMatch& match, Rate rate) {
  auto& request = exchange.request;
  const auto key = options_.auth_enabled ? keys_.find(request.headers) : std::nullopt;
  if (const auto refusal = pages_.refusal(request.method, request.headers, key.has_value()))
    return failure(403, *refusal);
  if (cors_.answers(request.method)) return cors_.preflight(request.headers);
  if (key) request.identity = "key " + std::to_string(*key + 1);
  const bool limited = match.route == nullptr || match.route->limited;
  const auto wait =
      limited ? wait_for_rate(key ? request.identity : client_network(request.client), rate) : std::nullopt;
  const bool open = match.route != nullptr && match.route->open;
  if (options_.auth_enabled && !key && !open) {
    // Guessing keys is limited too, and is told so.
    if (!wait) return failure(401, "Unauthorized");
  }
  if (wait) return failure(429, "Too Many Requests", *wait);

  if (match.route != nullptr) return std::nullopt;
  if (match.allow.empty()) return failure(404, "Not found: " + request.path);
  auto response = failure(405, "Method " + request.method + " is not allowed here; allowed: " + match.allow);
  response.headers.emplace_back("Allow", match.allow);
  return response;
}

void Pipeline::check_type(const Request& request, Body wanted) {
  if (wanted != Body::json && wanted != Body::json_or_protobuf) return;
  const auto type = request.header("Content-Type").value_or("");
  // A page can send any other type to any server without asking first.
  if (type.empty() && from_browser(request.headers))
    throw Refusal(415, "A browser has to send Content-Type: application/json");
  const bool takes_protobuf = wanted == Body::json_or_protobuf;
  if (type.empty() || is_json_type(type) || (takes_protobuf && is_protobuf_type(type))) return;
  throw Refusal(415, "Content-Type is " + std::string(type) + "; send Content-Type: application/json" +
                         (takes_protobuf ? " or application/x-protobuf" : ""));
}

Encoding Pipeline::check_content(const Exchange& exchange, const Route& route) const {
  check_type(exchange.request, route.body);
  const auto name = exchange.request.header("Content-Encoding").value_or("");
  const auto encoding = parse_encoding(name);
  if (!encoding)
    throw Refusal(415, "Content-Encoding " + std::string(name) + " is not supported; use gzip, deflate or none");
  const auto limit = options_.limits.max_body_bytes;
  if (exchange.framing.content_length > limit)
    throw Refusal(
        413, "The body has " + bytes_text(exchange.framing.content_length) + "; the limit is " + bytes_text(limit));
  return *encoding;
}

void Pipeline::read_body(Exchange& exchange, Encoding encoding) {
  exchange.body_begun = true;
  if (!exchange.framing.has_body()) {
    exchange.body_used = true;
    return;
  }
  std::optional<Upload> at_once;
  auto* upload = exchange.upload;
  if (upload == nullptr) {
    upload = &at_once.emplace(exchange.framing, encoding, options_.limits, *options_.budget, buffers_);
    // That it was not waited for shows that another answer was to be expected, which only time has changed.
    if (read(*upload, exchange) == Upload::State::more)
      throw Refusal(503, "The body came too late; try again", seconds(1));
  }
  if (upload->state() == Upload::State::refused) throw Refusal(upload->refusal());
  exchange.request.held = upload->take_hold();
  exchange.request.body = upload->take_body();
  exchange.body_used = true;
}

/// As far as it is there already: nobody waits for what nobody wants.
void Pipeline::skip_body(Exchange& exchange) const {
  if (exchange.body_begun) return;
  auto& connection = exchange.connection;
  BodyDecoder decoder(exchange.framing);
  std::size_t skipped = 0;
  do {
    const auto used = decoder.feed(connection.buffered(), [](std::string_view) { return true; });
    connection.use(used);
    skipped += used;
  } while (decoder.state() == BodyDecoder::State::more && skipped < most_skipped &&
           connection.read_available() == Connection::Read::some);
  exchange.body_begun = skipped > 0;
  exchange.body_used = decoder.state() == BodyDecoder::State::done;
}

Response Pipeline::handle(Exchange& exchange, const Route& route) {
  auto response = route.handler(exchange.request);
  if (response.body.size() > largest_uncounted) {
    exchange.response_held = options_.budget->hold();
    exchange.response_held.grow(response.body.capacity());
  }
  if (response.stream) {
    exchange.stream_hold = take_share(streams_, exchange);
    if (!exchange.stream_hold) throw Refusal(503, "Too many downloads at the moment; try again", seconds(5));
  }
  return response;
}

Response Pipeline::guarded(Exchange& exchange, const std::function<Response()>& step) {
  std::string what;
  try {
    return step();
  } catch (const Refusal& refusal) {
    return failure(refusal.status(), refusal.what(), refusal.retry_after());
  } catch (const storage::Unavailable& error) {
    if (hooks_.unavailable) hooks_.unavailable(exchange.request.request_id, error.what());
    return failure(503, error.told(), seconds(1));
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
    what = "something that is no std::exception";
  }
  report(exchange, what);
  return failure(500, "Internal error; the server's log has it under request id " + exchange.request.request_id);
}

void Pipeline::guard_stream(Exchange& exchange, Response& response) {
  response.stream = [this, &exchange, produce = std::move(response.stream)](const Write& write) {
    const observability::RequestScope scope(exchange.request.request_id);
    bool whole = false;
    try {
      whole = produce(write);
    } catch (const std::exception& error) {
      report(exchange, error.what());
    } catch (...) {
      report(exchange, "something that is no std::exception");
    }
    exchange.stream_cut = !whole;
    return whole;
  };
}

void Pipeline::report(const Exchange& exchange, std::string_view what) const {
  if (hooks_.failure) hooks_.failure(exchange.request.request_id, what);
}

}  // namespace raceway::server::http
