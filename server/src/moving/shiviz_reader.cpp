#include "moving/shiviz_reader.hpp"

#include <algorithm>
#include <stdexcept>

#include "moving/shiviz_date.hpp"
#include "moving/shiviz_expression.hpp"
#include "moving/shiviz_text.hpp"
#include "wire/arena.hpp"
#include "wire/errors.hpp"
#include "wire/json_reader.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving {
namespace {

/// More text than this without an event is no event that is still to end.
constexpr std::size_t longest_event = std::size_t{1} << 20U;
/// From 2000-01-01 back to 1970-01-01, in microseconds.
constexpr wire::Micros unix_epoch = -946'684'800'000'000;

std::string_view group(const auto& match, std::string_view name) {
  for (const auto& [each, text] : match.groups) {
    if (each == name) return text;
  }
  return {};
}

/// The clock with its names as they were before a log was made of it.
std::string unescaped_clock(std::string_view clock) {
  if (clock.find('%') == std::string_view::npos) return std::string(clock);
  wire::Arena arena;
  std::string out = "{";
  try {
    const wire::Json json = wire::read_json(clock, arena);
    for (const auto& component : json.as_object()) {
      if (out.size() > 1) out += ',';
      wire::append_json_string(out, unescaped(component.key()));
      out += ':';
      wire::append_json(out, component.value);
    }
  } catch (const std::runtime_error&) {
    return std::string(clock);  // refused with its reason by whoever takes the event
  }
  return out + '}';
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (!out.ends_with('{')) out += ',';
  wire::append_json_string(out, name);
  out += ':';
  wire::append_json_string(out, text);
}

}  // namespace

bool begins_with_parser(std::string_view text) {
  const auto line = text.substr(0, text.find('\n'));
  const auto has = [&](std::string_view name) { return line.find(name) != std::string_view::npos; };
  return has("(?<event>") && has("(?<host>") && has("(?<clock>");
}

ShivizReader::ShivizReader(EventSink& sink, const std::string& parser, std::string trace)
    : sink_(sink), trace_(std::move(trace)) {
  if (!parser.empty()) parser_ = std::make_unique<Expression>(parser);
}

ShivizReader::~ShivizReader() = default;

void ShivizReader::feed(std::string_view piece) {
  text_ += piece;
  if (!read_header(false)) return;
  read_events(false);
  text_.erase(0, at_);
  base_ += at_;
  at_ = 0;
}

void ShivizReader::finish() {
  read_header(true);
  read_events(true);
}

/// The next whole line without its end, of which nothing is consumed.
std::optional<std::string_view> ShivizReader::next_line(bool is_end) {
  const auto newline = text_.find('\n', at_);
  if (newline == std::string::npos && !is_end) return std::nullopt;
  auto line = std::string_view(text_).substr(at_, newline == std::string::npos ? newline : newline - at_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// Answers whether it is known what stands before the events.
bool ShivizReader::read_header(bool is_end) {
  if (has_header_) return true;
  const auto skip_line = [this] {
    const auto newline = text_.find('\n', at_);
    skip_to(newline == std::string::npos ? text_.size() : newline + 1, true);
  };
  if (std::count(text_.begin(), text_.end(), '\n') < 3 && !is_end) return false;
  has_header_ = true;
  if (const auto first = next_line(is_end); first && begins_with_parser(*first)) {
    is_own_ = *first == own_parser;
    if (!parser_) parser_ = std::make_unique<Expression>(std::string(*first));
    skip_line();
    const auto second = next_line(is_end);
    const bool is_delimiter = second && second->find("(?<trace>") != std::string_view::npos;
    if (is_delimiter) delimiter_ = std::make_unique<Expression>(std::string(*second));
    if (is_delimiter || (second && second->empty())) skip_line();
  }
  if (!parser_) {
    throw std::runtime_error("a ShiViz log needs its regular expression: on its first line, or by --parser");
  }
  for (const char* name : {"event", "host", "clock"}) {
    if (!parser_->has_group(name)) {
      throw std::runtime_error(std::string("the log's regular expression has no group named ") + name);
    }
  }
  return true;
}

/// Moves on, counting lines. What is no event and yet holds what may be a clock is told: none is left out in silence.
void ShivizReader::skip_to(std::size_t place, bool is_event) {
  const auto passed = std::string_view(text_).substr(at_, place - at_);
  if (!is_event && passed.find('{') != std::string_view::npos) {
    const auto from = passed.find_first_not_of(" \t\r\n");
    const auto lines = std::count(passed.begin(), passed.begin() + static_cast<std::ptrdiff_t>(from), '\n');
    sink_.damage({line_ + static_cast<std::uint64_t>(lines), base_ + at_ + from, count_},
                 "the log's regular expression finds no event here");
  }
  line_ += static_cast<std::uint64_t>(std::count(passed.begin(), passed.end(), '\n'));
  at_ = place;
}

void ShivizReader::read_events(bool is_end) {
  // Whole lines only, so that what was looked at once does not become something else.
  const auto newline = text_.rfind('\n');
  const auto limit = is_end ? text_.size() : newline == std::string::npos ? 0 : newline + 1;
  while (at_ < limit) {
    Match label;
    const auto whole = std::string_view(text_).substr(0, limit);
    const bool is_delimited = delimiter_ && delimiter_->find(whole, at_, false, label) == Expression::Outcome::match;
    const auto end = is_delimited ? label.begin : limit;
    while (at_ < end && read_event(end, !is_delimited && !is_end)) {
    }
    if (!is_delimited) return;
    skip_to(std::max(label.end, at_ + 1), true);
    trace_ = is_own_ ? unescaped(group(label, "trace")) : std::string(group(label, "trace"));
  }
}

/// Reads an event that ends before `end`, or skips what is none; answers whether there may be more.
bool ShivizReader::read_event(std::size_t end, bool may_grow) {
  Match match;
  const auto outcome = parser_->find(std::string_view(text_).substr(0, end), at_, may_grow, match);
  switch (outcome) {
    case Expression::Outcome::match:
      skip_to(match.begin, false);
      emit(match);
      skip_to(std::max(match.end, match.begin + 1), true);
      return true;
    case Expression::Outcome::may_grow:
      if (end - match.begin <= longest_event) {
        skip_to(match.begin, false);
        return false;
      }
      break;
    case Expression::Outcome::none:
      break;
    case Expression::Outcome::too_hard:
      sink_.damage({line_, base_ + at_, count_}, "the log's regular expression takes too many steps here");
      skip_to(end, true);
      return false;
  }
  skip_to(end, false);
  return false;
}

std::string ShivizReader::time_of(const Match& match, std::uint64_t line) const {
  if (auto date = read_log_date(group(match, "date"))) return *std::move(date);
  std::string time;
  wire::append_timestamp(time, {unix_epoch + static_cast<wire::Micros>(line) * 1'000, 0}, "Z");
  return time;
}

void ShivizReader::emit(const Match& match) {
  const auto word = [&](std::string_view name) {
    return is_own_ ? unescaped(group(match, name)) : std::string(group(match, name));
  };
  const Place place{line_, base_ + match.begin, count_++};
  const std::string host = word("host");
  std::string event = "{";
  append_member(event, "event_id", is_own_ ? word("id") : trace_ + ":" + std::to_string(line_));
  append_member(event, "trace_id", trace_);
  append_member(event, "kind", is_own_ ? word("kind") : "Log");
  append_member(event, "timestamp", time_of(match, line_));
  append_member(event, "location", host);
  event += ",\"vector_clock\":";
  event += is_own_ ? unescaped_clock(group(match, "clock")) : std::string(group(match, "clock"));
  event += ",\"metadata\":{";
  for (const auto& [name, text] : match.groups) {
    const bool has_place = name == "clock" || (is_own_ && (name == "id" || name == "kind" || name == "date"));
    if (!has_place) append_member(event, name, name == "host" ? std::string_view(host) : text);
  }
  sink_.event(event + "}}", place);
}

}  // namespace raceway::server::moving
