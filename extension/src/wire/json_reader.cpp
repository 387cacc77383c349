#include "wire/json_reader.hpp"

#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <string>

#include "wire/broken_text.hpp"
#include "wire/json_scanner.hpp"
#include "wire/number.hpp"
#include "wire/string_escapes.hpp"
#include "wire/text.hpp"

namespace raceway::wire {
namespace {

const std::string too_deep = "it nests deeper than " + std::to_string(max_json_depth) + " levels";

bool is_structural(char c) {
  return c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']' || c == '"';
}

[[noreturn]] void not_json_at(const std::string& what, std::size_t place) {
  throw BodyError("the body is not JSON: " + what + " at byte " + std::to_string(place));
}

}  // namespace

void Measure::note_problem(std::string_view problem) {
  if (problem_.empty()) problem_ = problem;
}

void Measure::begin_container(std::size_t depth) {
  if (is_over()) return;
  open_[depth] = &counts_.emplace_back();
  bytes_ += sizeof(std::uint32_t);
}

void Measure::begin_value(std::size_t depth, bool is_member) {
  if (is_over() || depth == 0) return;
  ++*open_[depth - 1];
  bytes_ += is_member ? sizeof(JsonMember) : sizeof(Json);
}

JsonReader::JsonReader(std::string_view text, Allowance& allowance)
    : text_(text), allowance_(allowance), in_object_(&allowance.source()) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw BodyError("the body is not JSON: it is larger than 4 GB");
  }
  if (peek() == '\0' && at_ == text_.size()) throw BodyError("the body is not JSON: it is empty");
}

void JsonReader::not_json(const char* what) const {
  std::size_t place = at_;
  while (place < text_.size() && is_space(text_[place])) ++place;
  const auto rest = text_.substr(place, 4);
  not_json_at(!rest.empty() && invalid_utf8_at(rest) == 0 ? "it is not valid UTF-8" : what, place);
}

void JsonReader::expect_end() {
  skip_space();
  if (at_ < text_.size()) not_json("something follows the document");
}

void JsonReader::check_utf8(std::size_t begin, std::size_t end) const {
  const auto part = text_.substr(begin, end - begin);
  if (simdjson::validate_utf8(part.data(), part.size())) return;
  throw BodyError("the body is not JSON: it is not valid UTF-8 at byte " +
                  std::to_string(begin + invalid_utf8_at(part)));
}

/// Where the string's quote stands, or what breaks it; tells what the string is like.
std::size_t JsonReader::end_of_string(std::size_t begin, RawString& string) const {
  const char* const end = text_.data() + text_.size();
  const char* at = text_.data() + begin;
  while ((at = find_special(at, end)) != end && *at != '"' && static_cast<unsigned char>(*at) >= 0x20) {
    allowance_.step();
    if (static_cast<unsigned char>(*at) >= 0x80) string.is_ascii = false;
    if (*at == '\\') {
      string.has_escapes = true;
      if (++at == end || static_cast<unsigned char>(*at) < 0x20) break;
    }
    ++at;
  }
  return static_cast<std::size_t>(at - text_.data());
}

JsonReader::RawString JsonReader::read_raw_string() {
  const std::size_t begin = at_ + 1;
  RawString string;
  const std::size_t end = end_of_string(begin, string);
  if (!string.is_ascii) check_utf8(begin, end);
  if (end == text_.size())
    throw BodyError("the body is not JSON: there is no end of the string at byte " + std::to_string(at_));
  if (text_[end] != '"') not_json_at("a string holds a bare control character", end);
  string.text = text_.substr(begin, end - begin);
  const auto outcome = string.has_escapes ? check_escapes(string.text, allowance_) : Unescaped::ok;
  if (outcome == Unescaped::bad_escape) not_json("a string has an unknown escape");
  if (outcome == Unescaped::nul)
    string.problem = "a string holds the character \\u0000, which no database text can hold";
  if (outcome == Unescaped::lone_surrogate) {
    string.problem = "a string holds half of a surrogate pair (\\ud800 to \\udfff)";
  }
  at_ = end + 1;
  return string;
}

void JsonReader::step_over_string(Measure* measure) {
  const RawString string = read_raw_string();
  if (measure == nullptr) return;
  if (string.problem != nullptr) measure->note_problem(string.problem);
  if (string.has_escapes) measure->add_text(string.text.size());
}

void JsonReader::step_over_key(Measure* measure) {
  if (peek() != '"') not_json("a key in quotes is expected");
  step_over_string(measure);
  expect(':', "':' is expected");
}

/// What stands next up to white space or a structural character.
std::string_view JsonReader::scalar() const {
  std::size_t end = at_;
  while (end < text_.size() && !is_space(text_[end]) && !is_structural(text_[end])) ++end;
  return text_.substr(at_, end - at_);
}

void JsonReader::step_over_scalar(Measure* measure) {
  if (at_ == text_.size()) not_json("it ends too early");
  const auto token = scalar();
  if (token != "true" && token != "false" && token != "null") {
    const auto notation = classify_number(token);
    if (notation == NumberNotation::invalid) {
      check_utf8(at_, at_ + token.size());
      not_json("a value is expected");
    }
    if (notation == NumberNotation::needs_rewriting && measure != nullptr) {
      const auto size = plain_number_size(token);
      if (!size) {
        measure->note_problem("the number " + std::string(token.substr(0, 40)) + " has more than " +
                              std::to_string(max_number_digits) + " digits before or after the point");
      }
      measure->add_text(size.value_or(0));
    }
  }
  at_ += token.size();
}

void JsonReader::walk(Measure* measure) {
  in_object_.clear();
  do {
    allowance_.step();
    const char first = peek();
    const bool is_container = first == '{' || first == '[';
    if (measure != nullptr) {
      if (is_container && in_object_.size() >= max_json_depth) measure->note_problem(too_deep);
      measure->begin_value(in_object_.size(), !in_object_.empty() && in_object_.back());
    }
    if (first == '"') {
      step_over_string(measure);
    } else if (!is_container) {
      step_over_scalar(measure);
    } else {
      ++at_;
      if (!accept(first == '{' ? '}' : ']')) {
        if (measure != nullptr) measure->begin_container(in_object_.size());
        in_object_.push_back(first == '{');
        if (first == '{') step_over_key(measure);
        continue;
      }
    }
    // A value is complete: close what ends here, and step to the next value where there is one.
    while (!in_object_.empty()) {
      if (accept(',')) {
        if (in_object_.back()) step_over_key(measure);
        break;
      }
      const bool is_object = in_object_.back();
      expect(is_object ? '}' : ']', is_object ? "',' or '}' is expected" : "',' or ']' is expected");
      in_object_.pop_back();
    }
  } while (!in_object_.empty());
}

std::string_view JsonReader::read_key() {
  if (peek() != '"') not_json("a key in quotes is expected");
  const RawString string = read_raw_string();
  expect(':', "':' is expected");
  if (string.problem != nullptr) return {};
  if (!string.has_escapes) return string.text;
  if (string.text.size() > key_.size()) return {};
  char* end = key_.data();
  unescape(string.text, end, allowance_);
  return {key_.data(), static_cast<std::size_t>(end - key_.data())};
}

bool JsonReader::read_short_string(std::string& text, std::size_t most_characters) {
  const RawString string = read_raw_string();
  if (string.problem != nullptr) return false;
  if (!string.has_escapes) {
    text = first_characters(string.text, most_characters);
    return true;
  }
  std::pmr::vector<char> unescaped(string.text.size(), &allowance_.source());
  char* end = unescaped.data();
  unescape(string.text, end, allowance_);
  text = first_characters({unescaped.data(), static_cast<std::size_t>(end - unescaped.data())}, most_characters);
  return true;
}

Json read_json(std::string_view text, Arena& arena, int depth) {
  JsonScanner scan(text, arena);
  scan.skip_space();
  Json json;
  if (scan.read_value(json, depth)) {
    scan.skip_space();
    if (scan.left() == 0) return json;
  }
  JsonReader reader(text, arena.allowance());
  Measure measure(arena.allowance().source());
  reader.measure_value(measure);
  reader.expect_end();
  throw EventError(measure.problem());
}

}  // namespace raceway::wire
