#include "http/trace_list_api.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "analysis/json.hpp"
#include "analysis/trace_search.hpp"
#include "http/envelope.hpp"
#include "http/query.hpp"
#include "http/trace_answers.hpp"

namespace raceway::server::http {
namespace {

constexpr std::uint64_t usual_list = 50;
constexpr std::uint64_t longest_list = 200;
constexpr std::int64_t micros_in_a_millisecond = 1'000;

/// TIME.ID, which clients take for a word.
std::string cursor_of(const storage::TracePlace& place) {
  return std::to_string(place.last_timestamp) + '.' + place.trace_id;
}

storage::TracePlace read_cursor(std::string_view text) {
  storage::TracePlace place;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), place.last_timestamp);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || used == text.size() || text[used] != '.')
    throw Refusal(400, "after is not what an answer gave as next");
  place.trace_id = text.substr(used + 1);
  return place;
}

bool query_flag(const Request& request, std::string_view name) {
  const auto text = request.query_parameter(name);
  if (!text || *text == "0" || *text == "false") return false;
  if (*text == "1" || *text == "true") return true;
  throw Refusal(400, std::string(name) + " is neither 1 nor 0");
}

std::int64_t query_millis(const Request& request, std::string_view name) {
  constexpr double most = 1e12;  // some thirty years
  const auto text = request.query_parameter(name);
  if (!text) return 0;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || !(value >= 0) || value > most)
    throw Refusal(400, std::string(name) + " is no number of milliseconds");
  return static_cast<std::int64_t>(std::ceil(value * micros_in_a_millisecond));
}

analysis::TraceQuery read_query(const Request& request) {
  analysis::TraceQuery query;
  query.filter = query_filter(request);
  if (const auto text = request.query_parameter("q"); text && !text->empty()) query.text = std::string(*text);
  query.races = query_flag(request, "races");
  query.errors = query_flag(request, "errors");
  query.min_micros = query_millis(request, "min_duration");
  if (const auto variable = request.query_parameter("variable")) query.variable = std::string(*variable);
  if (const auto after = request.query_parameter("after")) query.after = read_cursor(*after);
  query.limit = std::min(query_number(request, "limit", usual_list, 1), longest_list);
  return query;
}

/// Millennia, too.
void append_micros_as_millis(std::string& json, std::int64_t micros) {
  json += std::to_string(micros / micros_in_a_millisecond);
  analysis::append_fraction(json, std::to_string(micros_in_a_millisecond + micros % micros_in_a_millisecond).substr(1));
}

void append_found(std::string& json, const analysis::TraceFacts& facts) {
  const auto& state = facts.state;
  append_summary(json, {state.trace_id, state.event_count, state.first_timestamp, state.last_timestamp, facts.services},
                 "+00:00");
  const auto or_null = [&](std::string_view name, auto append) {
    if (facts.details) return append();
    analysis::append_key(json, name);
    json += "null";
  };
  or_null("name", [&] { analysis::append_text(json, "name", facts.details->name); });
  analysis::append_key(json, "duration_ms");
  append_micros_as_millis(json, state.last_timestamp - state.first_timestamp);
  or_null("missing_parent", [&] { analysis::append_flag(json, "missing_parent", facts.details->missing_parent); });
  or_null("races", [&] { analysis::append_count(json, "races", facts.details->races); });
  or_null("errors", [&] { analysis::append_flag(json, "errors", facts.details->errors); });
  json += '}';
}

}  // namespace

bool asks_for_a_search(const Request& request) {
  constexpr std::array<std::string_view, 7> parameters = {"q",        "races", "errors", "min_duration",
                                                          "variable", "after", "limit"};
  return std::ranges::any_of(parameters,
                             [&](std::string_view name) { return request.query_parameter(name).has_value(); });
}

Response get_found_traces(Api& api, const Request& request) {
  const auto found = analysis::search_traces(api.storage, api.facts, read_query(request));
  std::string json = "{\"traces\":[";
  for (const auto& facts : found.traces) {
    if (json.back() == '}') json += ',';
    append_found(json, *facts);
  }
  json += "],\"next\":";
  json += found.next ? json_string(cursor_of(*found.next)) : "null";
  analysis::append_count(json, "scanned", found.scanned);
  analysis::append_flag(json, "capped", found.capped);
  return success(json + '}');
}

}  // namespace raceway::server::http
