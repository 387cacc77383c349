#include "moving/shiviz_reader.hpp"

#include <algorithm>
#include <stdexcept>

#include "moving/shiviz_expression.hpp"
#include "moving/shiviz_text.hpp"
#include "wire/json_reader.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving {
namespace {

/// Each search looks at all the text there is, to see whether it is UTF-8: the less, the faster.
constexpr std::size_t looked_at_once = std::size_t{1} << 13U;
/// More text than this without an event is no event that is still to end.
constexpr std::size_t longest_event = std::size_t{1} << 20U;
std::string_view group(const auto& match, std::string_view name) {
  for (const auto& [each, text] : match.groups) {
    if (each == name) return text;
  }
  return {};
}

/// Whether a text has what begins as a clock does: a brace, a quoted name, a colon. Quotes may be escaped.
bool may_hold_clock(std::string_view text) {
  for (auto at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
    auto rest = text.substr(at + 1);
    const auto skip = [&rest](std::string_view characters) {
      rest.remove_prefix(std::min(rest.find_first_not_of(characters), rest.size()));
    };
    skip(" \t\\");
    if (!rest.starts_with('"')) continue;
    const auto quote = rest.find('"', 1);
    if (quote == std::string_view::npos) continue;
    rest.remove_prefix(quote + 1);
    skip(" \t");
    if (rest.starts_with(':')) return true;
  }
  return false;
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

ShivizReader::ShivizReader(EventSink& sink, const std::string& parser, std::string trace, DateOrder date_order)
    : sink_(sink), date_order_(date_order), label_(std::move(trace)) {
  if (!parser.empty()) parser_ = std::make_unique<Expression>(parser);
}

ShivizReader::~ShivizReader() = default;

void ShivizReader::feed(std::string_view piece) {
  for (std::size_t at = 0; at < piece.size(); at += looked_at_once) {
    append(piece.substr(at, looked_at_once));
    if (!read_header(false)) continue;
    read_events(false);
    forget_read();
  }
}

void ShivizReader::finish() {
  if (ends_in_return_) text_ += '\r';
  read_header(true);
  read_events(true);
}

/// Appends a piece without the '\r' of its lines' ends: expressions say '\n'.
void ShivizReader::append(std::string_view piece) {
  if (piece.empty()) return;
  const auto take = [&](std::string_view behind) {
    if (behind.starts_with('\n')) {
      returns_.push_back(text_.size());
    } else {
      text_ += '\r';
    }
  };
  if (std::exchange(ends_in_return_, false)) take(piece);
  for (auto at = piece.find('\r'); at != std::string_view::npos; at = piece.find('\r')) {
    text_ += piece.substr(0, at);
    piece.remove_prefix(at + 1);
    ends_in_return_ = piece.empty();
    if (ends_in_return_) return;
    take(piece);
  }
  text_ += piece;
}

void ShivizReader::forget_read() {
  const auto kept = std::ranges::lower_bound(returns_, at_);
  base_ += at_ + static_cast<std::uint64_t>(kept - returns_.begin());
  returns_.erase(returns_.begin(), kept);
  for (auto& place : returns_) place -= at_;
  text_.erase(0, at_);
  at_ = 0;
}

/// The place in the whole text of what stands in text_.
std::uint64_t ShivizReader::byte_of(std::size_t at) const {
  return base_ + at + static_cast<std::uint64_t>(std::ranges::upper_bound(returns_, at) - returns_.begin());
}

/// The next whole line without its end, of which nothing is consumed.
std::optional<std::string_view> ShivizReader::next_line(bool is_end) {
  const auto newline = text_.find('\n', at_);
  if (newline == std::string::npos && !is_end) return std::nullopt;
  return std::string_view(text_).substr(at_, newline == std::string::npos ? newline : newline - at_);
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
  if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
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
  if (!is_event && may_hold_clock(passed)) {
    const auto from = passed.find_first_not_of(" \t\r\n");
    const auto lines = std::count(passed.begin(), passed.begin() + static_cast<std::ptrdiff_t>(from), '\n');
    sink_.damage({line_ + static_cast<std::uint64_t>(lines), byte_of(at_ + from), count_},
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
    label_ = is_own_ ? unescaped(group(label, "trace")) : std::string(group(label, "trace"));
    is_named_ = false;
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
      sink_.damage({line_, byte_of(at_), count_}, "the log's regular expression takes too many steps here");
      skip_to(end, true);
      return false;
  }
  skip_to(end, false);
  return false;
}

/// Gives the execution that begins here a trace that no execution before it has.
void ShivizReader::name_execution(const Place& place) {
  is_named_ = true;
  trace_ = label_;
  for (int number = 2; !names_.insert(trace_).second; ++number) trace_ = label_ + '~' + std::to_string(number);
  if (trace_ == label_) return;
  sink_.note(place, "another execution is called " + label_ + "; this one becomes the trace " + trace_);
}

/// Throws DateError.
std::string ShivizReader::time_of(const Match& match, const LogClock& clock) const {
  if (const auto date = group(match, "date"); !date.empty()) return read_log_date(date, date_order_);
  std::string time;
  wire::append_timestamp(time, {clock.time(), 0}, "Z");
  return time;
}

void ShivizReader::emit(const Match& match) {
  const auto word = [&](std::string_view name) {
    return is_own_ ? unescaped(group(match, name)) : std::string(group(match, name));
  };
  const Place place{line_, byte_of(match.begin), count_++};
  if (!is_named_) name_execution(place);
  const std::string host = word("host");
  const LogClock clock(group(match, "clock"), is_own_);
  if (clock.json().empty()) return sink_.damage(place, "the clock is no JSON object");
  std::string time;
  try {
    time = time_of(match, clock);
  } catch (const DateError& error) {
    return sink_.damage(place, error.what());
  }
  std::string event = "{";
  append_member(event, "event_id", is_own_ ? word("id") : identities_.id_of(trace_, host, clock, match.groups));
  append_member(event, "trace_id", trace_);
  append_member(event, "kind", is_own_ ? word("kind") : "Log");
  append_member(event, "timestamp", time);
  append_member(event, "location", host);
  event += ",\"vector_clock\":" + clock.json() + ",\"metadata\":{";
  for (const auto& [name, text] : match.groups) {
    const bool has_place = name == "clock" || (is_own_ && (name == "id" || name == "kind" || name == "date"));
    if (!has_place) append_member(event, name, name == "host" ? std::string_view(host) : text);
  }
  sink_.event(event + "}}", place);
}

}  // namespace raceway::server::moving
