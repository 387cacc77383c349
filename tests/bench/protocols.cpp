#include "protocols.hpp"

#include <charconv>
#include <stdexcept>

#include "spans.hpp"

namespace raceway::bench {
namespace {

/// The number behind `label`, or 0 where it is not there.
std::uint64_t number_after(std::string_view text, std::string_view label) {
  const auto at = text.find(label);
  std::uint64_t number = 0;
  if (at != std::string_view::npos) std::from_chars(text.data() + at + label.size(), text.data() + text.size(), number);
  return number;
}

std::string post(const std::string& path, const std::string& type, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

void append_bulk_string(std::string& out, std::string_view text) {
  out += '$' + std::to_string(text.size()) + "\r\n";
  out += text;
  out += "\r\n";
}

}  // namespace

Request HttpProtocol::request(const std::string& path, const Traffic& traffic, const Body& body) {
  return {post(path, "application/json", json_of(traffic, body)), body.size()};
}

bool HttpProtocol::is_answer(std::string_view received, const Request&, Outcome& outcome) const {
  const auto head_end = received.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return false;
  const auto head = received.substr(0, head_end);
  const auto body = received.substr(head_end + 4);
  if (body.size() < number_after(head, "Content-Length: ")) return false;
  if (!head.starts_with("HTTP/1.1 200 ")) throw std::runtime_error("the server answered " + std::string(received));
  outcome.stored += number_after(body, "\"stored\":");
  outcome.duplicates += number_after(body, "\"duplicates\":");
  outcome.rejected += number_after(body, "\"rejected_count\":");
  return true;
}

Request OtlpProtocol::request(std::uint64_t first, std::size_t count) {
  return {post("/v1/traces", "application/x-protobuf", spans_in_protobuf(first, count)), count};
}

bool OtlpProtocol::is_answer(std::string_view received, const Request&, Outcome&) const {
  const auto head_end = received.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return false;
  const auto head = received.substr(0, head_end);
  const bool kept_all = head.starts_with("HTTP/1.1 200 ") && number_after(head, "Content-Length: ") == 0;
  if (!kept_all) throw std::runtime_error("the server answered " + std::string(received));
  return true;
}

Request RedisProtocol::request(const Traffic& traffic, const Body& body) {
  Request request{{}, body.size()};
  std::string event;
  for (const auto& [copy, index] : body) {
    event.clear();
    traffic.append_event(event, copy, index);
    request.bytes += "*5\r\n";
    for (const std::string_view word : {"XADD", "events", "*", "json"}) append_bulk_string(request.bytes, word);
    append_bulk_string(request.bytes, event);
  }
  return request;
}

bool RedisProtocol::is_answer(std::string_view received, const Request& request, Outcome& outcome) const {
  std::uint64_t answers = 0;
  for (std::size_t at = 0; at < received.size(); ++answers) {
    if (received[at] != '$') throw std::runtime_error("Redis answered " + std::string(received.substr(at)));
    const auto id = received.find("\r\n", at);
    const auto end = id == std::string_view::npos ? id : received.find("\r\n", id + 2);
    if (end == std::string_view::npos) return false;
    at = end + 2;
  }
  if (answers < request.events) return false;
  outcome.stored += answers;
  return true;
}

}  // namespace raceway::bench
