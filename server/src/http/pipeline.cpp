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

/// For a body whose length is announced, until more of it has come.
constexpr std::size_t first_room = 128 * 1024;

/// So much of a body that nobody wants is read, or a piece more, to keep the connection.
constexpr std::size_t most_skipped = 64 * 1024;

/// Answers of this size are always given: whether the server lives, how full it is, why something is refused.
constexpr std::size_t largest_uncounted = 64 * 1024;

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

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

Pipeline::Pipeline(const Options& options, const Hooks& hooks, Router& router, SpareBuffers& buffers)
    : options_(options),
      hooks_(hooks),
      router_(router),
      buffers_(buffers),
      keys_(options.api_keys),
      cors_(options.cors),
      limiter_(options.rate_limit),
      slow_bodies_(std::max<std::size_t>(1, options.limits.threads / 2)),
      streams_(std::max<std::size_t>(1, options.limits.threads / 4)) {}

Response Pipeline::answer(Exchange& exchange, std::string_view target) {
  auto& request = exchange.request;
  const observability::RequestScope scope(
      observability::accept_request_id(request.header("X-Request-Id").value_or("")));
  request.request_id = scope.id();
  auto response = guarded(exchange, [&] { return respond(exchange, target); });
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

Response Pipeline::respond(Exchange& exchange, std::string_view target) {
  auto& request = exchange.request;
  const auto parts = split_target(target);
  auto match = router_.find(request.method, parts.path);
  request.client = client_address(exchange.connection.peer(), request.headers, options_.trust_forwarded_for);
  request.path = percent_decoded(parts.path, false).value_or(std::string(parts.path));
  if (match.route != nullptr) request.route = match.route->pattern;
  request.path_parameters = std::move(match.parameters);
  if (auto refusal = gate(exchange, match)) return std::move(*refusal);

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

/// Steps 3 to 6.
std::optional<Response> Pipeline::gate(Exchange& exchange, const RouteMatch& match) {
  auto& request = exchange.request;
  if (cors_.answers(request.method)) return cors_.preflight(request.headers);

  const auto key = options_.auth_enabled ? keys_.find(request.headers) : std::nullopt;
  if (key) request.identity = "key " + std::to_string(*key + 1);
  const bool limited = match.route == nullptr || match.route->limited;
  const auto wait = limited ? limiter_.admit(key ? request.identity : request.client, Clock::now()) : std::nullopt;
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

Encoding Pipeline::check_content(const Exchange& exchange, const Route& route) const {
  const auto type = exchange.request.header("Content-Type");
  if (route.body == Body::json && type && !type->empty() && !is_json_type(*type))
    throw Refusal(415, "Content-Type is " + std::string(*type) + "; send Content-Type: application/json");
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

void Pipeline::check_piece(BodySink::Result result) const {
  if (result == BodySink::Result::too_large)
    throw Refusal(413, "The body is larger than the limit of " + bytes_text(options_.limits.max_body_bytes));
  if (result == BodySink::Result::too_inflated)
    throw Refusal(413, "The body inflates to more than " + std::to_string(options_.limits.max_inflation) +
                           " times what was sent; send it less compressed");
  if (result == BodySink::Result::corrupt)
    throw Refusal(400, "The body is not what its Content-Encoding says: it cannot be decompressed");
}

/// A thread waits for the client here: half of them may at a time, so that the others go on serving.
Allowance::Hold Pipeline::wait_for_body(Exchange& exchange) {
  auto hold = slow_bodies_.take();
  if (!hold) {
    ++refused_;
    throw Refusal(503, "Too many slow uploads at the moment; try again", seconds(1));
  }
  if (exchange.framing.expects_continue && exchange.connection.buffered().empty())
    if (exchange.connection.write(go_on)) exchange.connection.flush();
  return hold;
}

void Pipeline::read_body(Exchange& exchange, Encoding encoding) {
  exchange.body_begun = true;
  exchange.request.held = options_.budget->hold();
  if (!exchange.framing.has_body()) {
    // There is nothing to read.
  } else if (encoding == Encoding::identity && !exchange.framing.chunked) {
    std::size_t have = 0;
    auto& body = exchange.request.body = buffers_.take();
    try {
      read_plain_body(exchange, have);
    } catch (...) {
      body.resize(have);
      throw;
    }
  } else {
    exchange.request.body = buffers_.take();
    read_encoded_body(exchange, encoding);
  }
  exchange.body_used = true;
}

/// A body that comes as it is, of a length that is known and allowed: straight to where it is wanted. `have` counts
/// what of it is there.
void Pipeline::read_plain_body(Exchange& exchange, std::size_t& have) {
  auto& connection = exchange.connection;
  auto& body = exchange.request.body;
  const auto length = static_cast<std::size_t>(exchange.framing.content_length);
  const auto there = connection.buffered().substr(0, length);
  have = there.size();
  auto& held = exchange.request.held;
  // Not more than what came justifies: a length is easily said.
  const auto room_for = [length](std::size_t bytes) { return std::min(length, std::max(first_room, bytes * 2)); };
  const auto resize = [&](std::size_t bytes) {
    // As it grows there are two of it for a moment.
    if (bytes > body.capacity()) held.set(body.capacity() + bytes);
    body.resize(bytes);
    held.set(body.capacity());
  };
  resize(room_for(have));
  std::copy(there.begin(), there.end(), body.begin());
  connection.use(have);
  Allowance::Hold hold;
  while (have < length) {
    if (have == body.size()) resize(room_for(have));
    std::size_t got = 0;
    auto read = connection.read_available_to(&body[have], body.size() - have, got);
    if (read == Connection::Read::nothing_yet) {
      if (!hold) hold = wait_for_body(exchange);
      read = connection.read_waiting_to(&body[have], body.size() - have, got);
    }
    check_read(connection, read);
    have += got;
  }
  body.resize(length);
}

void Pipeline::read_encoded_body(Exchange& exchange, Encoding encoding) {
  auto& connection = exchange.connection;
  BodyDecoder decoder(exchange.framing);
  exchange.request.body.clear();
  auto& held = exchange.request.held;
  held.set(exchange.request.body.capacity());
  BodySink sink(encoding, options_.limits.max_body_bytes, exchange.request.body, options_.limits.max_inflation,
                [&held](std::size_t bytes) { held.set(bytes); });
  std::size_t raw_left = options_.limits.max_body_bytes;
  Allowance::Hold hold;
  const auto take = [&](std::string_view piece) {
    check_piece(piece.size() > raw_left ? BodySink::Result::too_large : sink.append(piece));
    raw_left -= piece.size();
    return true;
  };
  for (;;) {
    connection.use(decoder.feed(connection.buffered(), take));
    if (decoder.state() == BodyDecoder::State::malformed) throw Refusal(400, "The body's chunks are malformed");
    if (decoder.state() == BodyDecoder::State::done) break;
    if (!hold) hold = wait_for_body(exchange);
    check_read(connection, connection.read_waiting());
  }
  check_piece(sink.finish());
}

void Pipeline::check_read(Connection& connection, Connection::Read read) {
  if (read == Connection::Read::timeout) {
    ++timeouts_;
    throw Refusal(408, "The body did not arrive in time");
  }
  if (read == Connection::Read::end) {
    connection.abandon();
    throw Refusal(400, "The body ended before its end");
  }
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
    exchange.stream_hold = streams_.take();
    if (!exchange.stream_hold) {
      ++refused_;
      throw Refusal(503, "Too many downloads at the moment; try again", seconds(5));
    }
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
    ++refused_;
    return failure(503, error.what(), seconds(1));
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
