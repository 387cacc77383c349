#include "moving/event_splitter.hpp"

#include <algorithm>
#include <cstring>

namespace raceway::server::moving {
namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// What ends a word or a number.
constexpr bool ends_word(char c) {
  return is_space(c) || c == ',' || c == ':' || c == '"' || c == '[' || c == ']' || c == '{' || c == '}';
}

/// Whether any of eight bytes is a quote, a backslash or a control character.
bool has_special(std::uint64_t bytes) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t high = 0x8080808080808080U;
  const auto zero_in = [](std::uint64_t word) { return (word - ones) & ~word & high; };
  const auto below_space = (bytes - ones * 0x20U) & ~bytes & high;
  return (zero_in(bytes ^ (ones * '"')) | zero_in(bytes ^ (ones * '\\')) | below_space) != 0;
}

/// The first quote, backslash or control character from `at` on, or the text's end.
std::size_t find_special(std::string_view text, std::size_t at) {
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    if (has_special(bytes)) break;
  }
  while (at < text.size() && text[at] != '"' && text[at] != '\\' && static_cast<unsigned char>(text[at]) >= 0x20) ++at;
  return at;
}

std::string shown(char c) {
  if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) {
    return "byte " + std::to_string(static_cast<unsigned char>(c));
  }
  return std::string("'") + c + "'";
}

}  // namespace

EventSplitter::EventSplitter(EventSink& sink, std::size_t max_event) : sink_(sink), max_event_(max_event) {}

void EventSplitter::feed(std::string_view piece) {
  text_ += piece;
  if (base_ + at_ == 0) {
    if (text_.size() < byte_order_mark.size() && byte_order_mark.starts_with(text_)) return;
    if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
  }
  run();
  drop_consumed();
}

void EventSplitter::drop_consumed() {
  std::size_t from = at_;
  if (token_ != Token::none) from = std::min(from, token_from_);
  if (capturing_) from = std::min(from, capture_from_);
  text_.erase(0, from);
  base_ += from;
  at_ -= from;
  token_from_ -= std::min(token_from_, from);
  capture_from_ -= std::min(capture_from_, from);
}

void EventSplitter::run() {
  while (at_ < text_.size()) {
    if (capturing_ && at_ - capture_from_ > max_event_) {
      break_off("an event of more than " + std::to_string(max_event_) + " bytes");
    } else if (token_ != Token::none && at_ - token_from_ > max_event_) {
      break_off("a string of more than " + std::to_string(max_event_) + " bytes");
    } else if (skipping_line_) {
      if (!skip_line()) return;
    } else if (token_ == Token::string) {
      if (!read_string()) return;
    } else if (token_ == Token::word) {
      if (!read_word()) return;
    } else if (skip_space()) {
      read_structure();
    }
  }
}

/// Answers whether something else follows.
bool EventSplitter::skip_space() {
  for (; at_ < text_.size() && is_space(text_[at_]); ++at_) {
    if (text_[at_] == '\n') {
      ++line_;
      at_line_start_ = true;
    }
  }
  return at_ < text_.size();
}

/// Answers whether the string has ended in what is there (or broke).
bool EventSplitter::read_string() {
  while (at_ < text_.size()) {
    if (escaped_) {
      escaped_ = false;
      if (static_cast<unsigned char>(text_[at_]) >= 0x20) ++at_;
      continue;
    }
    at_ = find_special(text_, at_);
    if (at_ == text_.size()) return false;
    const char c = text_[at_];
    if (c == '\\') {
      escaped_ = true;
      ++at_;
    } else if (c == '"') {
      ++at_;
      token_ = Token::none;
      if (expect_ == Expect::colon) {
        end_key();
      } else {
        end_value();
      }
      return true;
    } else {
      break_off(c == '\n' ? "the line ends inside a string" : "a string holds " + shown(c));
      return true;
    }
  }
  return false;
}

bool EventSplitter::read_word() {
  while (at_ < text_.size() && !ends_word(text_[at_])) ++at_;
  if (at_ == text_.size()) return false;
  token_ = Token::none;
  end_value();
  return true;
}

/// Reads what may stand around events behind damage, or too much between documents; answers whether it was that.
bool EventSplitter::read_between_events(char c) {
  if (!at_element()) return false;
  // Closing brackets are what damage before them has left over, and a comma between documents does no harm.
  const bool is_left_over = stack_.empty() && ((damaged_ && (c == ']' || c == '}')) || (c == ',' && count_ > 0));
  if (is_left_over || (recovering_ && c == ',')) {
    ++at_;
    return true;
  }
  if (!recovering_ || c == '{' || c == (stack_.empty() ? '[' : ']')) return false;
  skipping_line_ = true;
  return true;
}

/// Begins a string or a word where one may stand.
bool EventSplitter::begin_scalar(char c) {
  const bool is_key = expect_ == Expect::key || expect_ == Expect::key_or_end;
  const bool is_value = expect_ == Expect::value || expect_ == Expect::value_or_end;
  if (!is_value && !(is_key && c == '"')) return false;
  if (is_value && at_element()) begin_event();
  if (is_key) expect_ = Expect::colon;
  token_ = c == '"' ? Token::string : Token::word;
  token_from_ = at_++;
  return true;
}

void EventSplitter::read_structure() {
  const char c = text_[at_];
  token_begins_line_ = at_line_start_;
  at_line_start_ = false;
  if (read_between_events(c)) return;
  switch (c) {
    case '{':
    case '[':
      if (expect_ == Expect::value || expect_ == Expect::value_or_end) return open(c == '{');
      break;
    case '}':
    case ']':
      return close(c == '}');
    case ',':
      if (expect_ != Expect::comma_or_end) break;
      ++at_;
      expect_ = stack_.back().is_object ? Expect::key : Expect::value;
      return;
    case ':':
      if (expect_ != Expect::colon) break;
      ++at_;
      expect_ = Expect::value;
      return;
    default:
      if (static_cast<unsigned char>(c) >= 0x20 && begin_scalar(c)) return;
  }
  break_off("unexpected " + shown(c));
}

void EventSplitter::begin_event() {
  capturing_ = true;
  capture_from_ = at_;
  capture_line_ = line_;
  capture_depth_ = stack_.size();
}

EventSplitter::Role EventSplitter::role_of_value(bool is_object) const {
  if (stack_.empty()) return is_object ? Role::candidate : Role::list;
  const Frame& around = stack_.back();
  if (around.role == Role::list) return is_object ? Role::candidate : Role::inner;
  if (around.role == Role::inner || around.names_event) return Role::inner;
  if (!is_object && (key_ == Key::events || key_ == Key::traces)) return Role::list;
  return is_object && key_ == Key::data && around.names_success ? Role::wrapper : Role::inner;
}

void EventSplitter::open(bool is_object) {
  if (stack_.size() >= deepest) return break_off("it nests deeper than " + std::to_string(deepest) + " levels");
  const Role role = role_of_value(is_object);
  if (at_element() && role != Role::list) begin_event();
  if (!stack_.empty() && (role == Role::list || role == Role::wrapper)) {
    stack_.back().role = Role::wrapper;
    capturing_ = false;
  }
  stack_.push_back({role, is_object});
  expect_ = is_object ? Expect::key_or_end : Expect::value_or_end;
  ++at_;
}

void EventSplitter::close(bool is_object) {
  const bool is_open = !stack_.empty() && stack_.back().is_object == is_object;
  const bool may_end = expect_ == Expect::comma_or_end || expect_ == Expect::key_or_end ||
                       expect_ == Expect::value_or_end || (recovering_ && at_element());
  if (!is_open || !may_end) return break_off(std::string("unexpected '") + (is_object ? '}' : ']') + "'");
  stack_.pop_back();
  ++at_;
  end_value();
}

void EventSplitter::end_value() {
  expect_ = stack_.empty() ? Expect::value : Expect::comma_or_end;
  if (!capturing_ || stack_.size() != capture_depth_) return;
  capturing_ = false;
  recovering_ = false;
  const Place place{capture_line_, base_ + capture_from_, count_++};
  sink_.event(std::string_view(text_).substr(capture_from_, at_ - capture_from_), place);
}

void EventSplitter::end_key() {
  key_ = Key::other;
  Frame& object = stack_.back();
  if (object.role == Role::inner) return;
  const auto name = std::string_view(text_).substr(token_from_ + 1, at_ - token_from_ - 2);
  object.names_event |= name == "id" || name == "event_id";
  object.names_success |= name == "success";
  if (name == "events") key_ = Key::events;
  if (name == "traces") key_ = Key::traces;
  if (name == "data") key_ = Key::data;
}

void EventSplitter::break_off(const std::string& what) {
  std::string text = what;
  if (capturing_) {
    text += ", in the event that begins at line " + std::to_string(capture_line_) + ", byte " +
            std::to_string(base_ + capture_from_);
  }
  sink_.damage(here(), text);
  resume();
}

/// Goes on behind damage: behind the line where the broken event began, which may have swallowed what follows.
void EventSplitter::resume() {
  const auto newline = capturing_ ? text_.find('\n', capture_from_) : std::string::npos;
  if (newline != std::string::npos && newline <= at_) {
    at_ = newline + 1;
    line_ = capture_line_ + 1;
    at_line_start_ = true;
  } else {
    skipping_line_ = capturing_ || token_ != Token::none || !token_begins_line_;
  }
  damaged_ = recovering_ = true;
  capturing_ = false;
  token_ = Token::none;
  escaped_ = false;
  // Each broken body leaves its brackets open: with many of them the document is a list of lines rather than nested.
  constexpr std::size_t believable = 16;
  if (stack_.size() > believable) stack_.clear();
  while (!stack_.empty() && stack_.back().role != Role::list) stack_.pop_back();
  expect_ = Expect::value;
}

bool EventSplitter::skip_line() {
  const auto newline = text_.find('\n', at_);
  at_ = newline == std::string::npos ? text_.size() : newline + 1;
  if (newline == std::string::npos) return false;
  ++line_;
  at_line_start_ = true;
  skipping_line_ = false;
  return true;
}

/// Whether the text, at its end, stops inside an event; tells so, and goes back to the line after its beginning.
bool EventSplitter::is_cut_off() {
  if (token_ == Token::word) {
    token_ = Token::none;
    end_value();
  }
  if (!capturing_) return false;
  sink_.damage({capture_line_, base_ + capture_from_, count_}, "the text ends inside the event that begins here");
  resume();
  return true;
}

void EventSplitter::finish() {
  do {
    run();
  } while (is_cut_off());
  if (!stack_.empty() && !damaged_) {
    sink_.damage(here(), "the text ends before its last bracket is closed; it may have been cut off");
  }
}

}  // namespace raceway::server::moving
