#include "wire/json_reader.hpp"

#include <simdjson.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "causality/clock.hpp"
#include "wire/number.hpp"
#include "wire/string_escapes.hpp"

namespace raceway::wire {

/// simdjson's index of a text: where each bracket, colon, comma and scalar begins.
struct JsonReader::Index {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  std::string unescaped;  // reused for every string with escapes

  const std::uint32_t* starts() const { return parser->structural_indexes.get(); }
  std::uint32_t size() const { return parser->n_structural_indexes; }

  void build(std::string_view text);
  /// The index takes four bytes for each byte of text: what a large body needed is not kept for the next small one.
  void shrink() {
    if (parser && parser->capacity() > kept_capacity) parser.reset();
  }

  static constexpr std::size_t kept_capacity = std::size_t{4} << 20U;
};

namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

std::string describe(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "it is not valid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
      return "a string holds a bare control character";
    case simdjson::EMPTY:
      return "it is empty";
    case simdjson::CAPACITY:
      return "it is larger than 4 GB";
    default:
      return simdjson::error_message(error);
  }
}

bool key_before(const JsonMember& a, const JsonMember& b) {
  return causality::compare_names(a.key, b.key) < 0;
}

}  // namespace

void JsonReader::Index::build(std::string_view text) {
  const auto fail = [](simdjson::error_code error) { throw BodyError("the body is not JSON: " + describe(error)); };
  if (text.empty()) fail(simdjson::EMPTY);
  if (text.size() > simdjson::SIMDJSON_MAXSIZE_BYTES) fail(simdjson::CAPACITY);
  if (!parser || parser->capacity() < text.size()) {
    parser.reset();
    const std::size_t capacity = std::max<std::size_t>(text.size(), 64 * 1024);
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, parser) !=
        simdjson::SUCCESS) {
      throw std::bad_alloc();
    }
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto error = parser->stage1(bytes, text.size(), simdjson::stage1_mode::regular);
  if (error != simdjson::SUCCESS) fail(error);
}

JsonReader::JsonReader(std::string_view text, Arena& arena)
    : text_(text), arena_(arena), index_([]() -> Index& {
        thread_local Index index;
        return index;
      }()) {
  index_.build(text);
}

JsonReader::~JsonReader() {
  index_.shrink();
}

char JsonReader::peek() const {
  return at_ < index_.size() ? text_[index_.starts()[at_]] : '\0';
}

std::size_t JsonReader::token_end() const {
  return at_ + 1 < index_.size() ? index_.starts()[at_ + 1] : text_.size();
}

std::string_view JsonReader::token() const {
  const std::size_t begin = index_.starts()[at_];
  std::size_t end = token_end();
  while (end > begin && is_space(text_[end - 1])) --end;
  return text_.substr(begin, end - begin);
}

void JsonReader::not_json(const char* what) const {
  const std::size_t byte = at_ < index_.size() ? index_.starts()[at_] : text_.size();
  throw BodyError("the body is not JSON: " + std::string(what) + " at byte " + std::to_string(byte));
}

bool JsonReader::accept(char structural) {
  if (peek() != structural) return false;
  ++at_;
  return true;
}

void JsonReader::expect(char structural, const char* what) {
  if (!accept(structural)) not_json(what);
}

void JsonReader::expect_end() {
  if (at_ < index_.size()) not_json("something follows the document");
}

Json JsonReader::read_value() {
  elements_.clear();
  members_.clear();
  return read_nested(0);
}

Json JsonReader::read_nested(int depth) {
  switch (peek()) {
    case '{':
      return read_object(depth);
    case '[':
      return read_array(depth);
    case '"':
      return Json::of_string(read_string());
    case 't':
    case 'f':
    case 'n':
      return read_word();
    default:
      return read_number();
  }
}

Json JsonReader::read_array(int depth) {
  if (depth >= max_json_depth) throw EventError("it nests deeper than " + std::to_string(max_json_depth) + " levels");
  expect('[', "an array is expected");
  const std::size_t from = elements_.size();
  if (!accept(']')) {
    do {
      const Json element = read_nested(depth + 1);
      elements_.push_back(element);
    } while (accept(','));
    expect(']', "',' or ']' is expected");
  }
  Json json;
  json.type = Json::Type::array;
  json.count = static_cast<std::uint32_t>(elements_.size() - from);
  json.elements = arena_.copy(std::span<const Json>(elements_.data() + from, json.count)).data();
  elements_.resize(from);
  return json;
}

Json JsonReader::read_object(int depth) {
  if (depth >= max_json_depth) throw EventError("it nests deeper than " + std::to_string(max_json_depth) + " levels");
  expect('{', "an object is expected");
  const std::size_t from = members_.size();
  if (!accept('}')) {
    do {
      const auto key = read_key();
      const Json value = read_nested(depth + 1);
      members_.push_back({key, value});
    } while (accept(','));
    expect('}', "',' or '}' is expected");
  }
  Json json;
  json.type = Json::Type::object;
  json.count = static_cast<std::uint32_t>(sort_members(members_, from));
  json.members = arena_.copy(std::span<const JsonMember>(members_.data() + from, json.count)).data();
  members_.resize(from);
  return json;
}

std::string_view JsonReader::read_key() {
  if (peek() != '"') not_json("a key in quotes is expected");
  const auto key = read_string();
  expect(':', "':' is expected");
  return key;
}

std::string_view JsonReader::read_string() {
  const auto quoted = token();
  const auto raw = quoted.substr(1, quoted.size() - 2);
  if (raw.find('\\') == std::string_view::npos) {
    ++at_;
    return raw;
  }
  index_.unescaped.clear();
  const auto outcome = append_unescaped(index_.unescaped, raw);
  if (outcome == Unescaped::bad_escape) not_json("a string has an unknown escape");
  if (outcome == Unescaped::nul)
    throw EventError("a string holds the character \\u0000, which no database text can hold");
  if (outcome == Unescaped::lone_surrogate)
    throw EventError("a string holds half of a surrogate pair (\\ud800 to \\udfff)");
  ++at_;
  return arena_.copy(index_.unescaped);
}

Json JsonReader::read_number() {
  if (at_ >= index_.size()) not_json("it ends too early");
  const auto digits = token();
  const auto notation = classify_number(digits);
  if (notation == NumberNotation::invalid) not_json("a value is expected");
  if (notation == NumberNotation::plain) {
    ++at_;
    return Json::of_number(digits);
  }
  const auto plain = plain_number(digits);
  if (!plain) {
    throw EventError("the number " + std::string(digits.substr(0, 40)) + " has more than " +
                     std::to_string(max_number_digits) + " digits before or after the point");
  }
  ++at_;
  return Json::of_number(arena_.copy(*plain));
}

Json JsonReader::read_word() {
  const auto word = token();
  Json json;
  if (word == "true") {
    json = Json::of_bool(true);
  } else if (word == "false") {
    json = Json::of_bool(false);
  } else if (word != "null") {
    not_json("a value is expected");
  }
  ++at_;
  return json;
}

void JsonReader::check_scalar() {
  try {
    const char first = peek();
    if (first == '"') {
      read_string();
    } else if (first == 't' || first == 'f' || first == 'n') {
      read_word();
    } else {
      read_number();
    }
  } catch (const EventError&) {
    ++at_;  // JSON all the same
  }
}

void JsonReader::skip_value() {
  std::vector<bool> in_object;  // the containers that are open, innermost last
  const auto read_key_of_member = [this] {
    if (peek() != '"') not_json("a key in quotes is expected");
    check_scalar();
    expect(':', "':' is expected");
  };
  do {
    const char first = peek();
    if (first == '{' || first == '[') {
      ++at_;
      if (!accept(first == '{' ? '}' : ']')) {
        in_object.push_back(first == '{');
        if (in_object.back()) read_key_of_member();
        continue;
      }
    } else {
      check_scalar();
    }
    // A value is complete: close what ends here, and step to the next value where there is one.
    while (!in_object.empty()) {
      if (accept(',')) {
        if (in_object.back()) read_key_of_member();
        break;
      }
      expect(in_object.back() ? '}' : ']', in_object.back() ? "',' or '}' is expected" : "',' or ']' is expected");
      in_object.pop_back();
    }
  } while (!in_object.empty());
}

std::size_t sort_members(std::vector<JsonMember>& members, std::size_t from) {
  const auto begin = members.begin() + static_cast<std::ptrdiff_t>(from);
  // A handful of members, often in order already: inserting beats a sort that asks for memory.
  constexpr std::ptrdiff_t few = 24;
  if (members.end() - begin <= few) {
    for (auto at = begin; at != members.end(); ++at) {
      std::rotate(std::upper_bound(begin, at, *at, key_before), at, at + 1);
    }
  } else {
    std::stable_sort(begin, members.end(), key_before);
  }
  auto kept = begin;
  for (auto at = begin; at != members.end(); ++at) {
    if (kept != begin && (kept - 1)->key == at->key) --kept;
    *kept++ = *at;
  }
  return static_cast<std::size_t>(kept - begin);
}

Json read_json(std::string_view text, Arena& arena) {
  JsonReader reader(text, arena);
  const Json json = reader.read_value();
  reader.expect_end();
  return json;
}

}  // namespace raceway::wire
