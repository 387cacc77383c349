#include "wire/json_reader.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "causality/clock.hpp"
#include "wire/broken_text.hpp"
#include "wire/number.hpp"
#include "wire/string_escapes.hpp"

namespace raceway::wire {

/// What a thread's readers share, one after the other, so that a small body costs no allocation.
struct JsonReader::Scratch {
  /// simdjson's index of a text: where each bracket, colon, comma and scalar begins.
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  std::string unescaped;            // reused for every string with escapes
  std::vector<Json> elements;       // of the arrays being read, innermost last
  std::vector<JsonMember> members;  // of the objects being read, innermost last

  void build_index(std::string_view text);
  /// The index takes four bytes for each byte of text: what a large body needed is not kept for the next small one.
  void shrink();

  static constexpr std::size_t kept_capacity = std::size_t{4} << 20U;
  static constexpr std::size_t kept_items = std::size_t{4} << 10U;

  static Scratch& of_this_thread() {
    thread_local Scratch scratch;
    return scratch;
  }
};

namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

std::string describe(simdjson::error_code error, std::string_view text) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "it is not valid UTF-8 at byte " + std::to_string(invalid_utf8_at(text));
    case simdjson::UNCLOSED_STRING:
      return "there is no end of the string at byte " + std::to_string(open_string_at(text));
    case simdjson::UNESCAPED_CHARS:
      return "a string holds a bare control character at byte " + std::to_string(bare_control_at(text));
    case simdjson::EMPTY:
      return "it is empty";
    case simdjson::CAPACITY:
      return "it is larger than 4 GB";
    default:
      return simdjson::error_message(error);
  }
}

/// A comparison that the compiler resolves without a call.
template <std::size_t N>
bool is_word(std::string_view token, const char (&word)[N]) {
  return token.size() == N - 1 && std::memcmp(token.data(), word, N - 1) == 0;
}

bool key_before(const JsonMember& a, const JsonMember& b) {
  return causality::compare_names(a.key, b.key) < 0;
}

}  // namespace

void JsonReader::Scratch::build_index(std::string_view text) {
  const auto fail = [text](simdjson::error_code error) {
    throw BodyError("the body is not JSON: " + describe(error, text));
  };
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
  // simdjson leaves room for this behind the last token.
  parser->structural_indexes[parser->n_structural_indexes] = static_cast<std::uint32_t>(text.size());
}

void JsonReader::Scratch::shrink() {
  elements.clear();
  members.clear();
  if (parser && parser->capacity() > kept_capacity) parser.reset();
  if (elements.capacity() > kept_items) std::vector<Json>().swap(elements);
  if (members.capacity() > kept_items) std::vector<JsonMember>().swap(members);
}

JsonReader::JsonReader(std::string_view text, Arena& arena)
    : text_(text), arena_(arena), scratch_(Scratch::of_this_thread()) {
  scratch_.build_index(text);
  starts_ = scratch_.parser->structural_indexes.get();
  size_ = scratch_.parser->n_structural_indexes;
}

JsonReader::~JsonReader() {
  scratch_.shrink();
}

void JsonReader::seek(std::uint32_t place) {
  at_ = place;
  scratch_.elements.clear();
  scratch_.members.clear();
}

std::size_t JsonReader::end_of_token_before() const {
  std::size_t end = starts_[at_];
  while (is_space(text_[end - 1])) --end;
  return end;
}

/// In steps that double, then between the last two: it is mostly the length of an event ahead.
void JsonReader::move_to(std::size_t place) {
  std::uint32_t step = 1;
  while (at_ + step < size_ && starts_[at_ + step] < place) {
    at_ += step;
    step *= 2;
  }
  const auto* const end = starts_ + std::min(size_, at_ + step);
  at_ = static_cast<std::uint32_t>(std::lower_bound(starts_ + at_, end, place) - starts_);
}

std::string_view JsonReader::token() const {
  const char* const begin = text_.data() + starts_[at_];
  const char* end = text_.data() + starts_[at_ + 1];
  while (end > begin && is_space(end[-1])) --end;
  return {begin, static_cast<std::size_t>(end - begin)};
}

void JsonReader::not_json(const char* what) const {
  throw BodyError("the body is not JSON: " + std::string(what) + " at byte " + std::to_string(starts_[at_]));
}

void JsonReader::expect_end() {
  if (at_ < size_) not_json("something follows the document");
}

void JsonReader::read_other(Json& value, int depth) {
  value = {};
  switch (peek()) {
    case '{':
      return read_object(value, depth);
    case '[':
      return read_array(value, depth);
    case 't':
    case 'f':
    case 'n':
      return read_word(value);
    default:
      return read_number(value);
  }
}

void JsonReader::read_array(Json& array, int depth) {
  if (depth >= max_json_depth) throw EventError("it nests deeper than " + std::to_string(max_json_depth) + " levels");
  expect('[', "an array is expected");
  array.type = Json::Type::array;
  if (accept(']')) return;
  auto& elements = scratch_.elements;
  const std::size_t from = elements.size();
  do {
    elements.push_back(read_value(depth + 1));
  } while (accept(','));
  expect(']', "',' or ']' is expected");
  array.count = static_cast<std::uint32_t>(elements.size() - from);
  array.elements = arena_.copy(std::span<const Json>(elements.data() + from, array.count)).data();
  elements.resize(from);
}

void JsonReader::read_object(Json& object, int depth) {
  if (depth >= max_json_depth) throw EventError("it nests deeper than " + std::to_string(max_json_depth) + " levels");
  expect('{', "an object is expected");
  object.type = Json::Type::object;
  if (accept('}')) return;
  auto& members = scratch_.members;
  const std::size_t from = members.size();
  do {
    const auto key = read_key();
    members.push_back({key, read_value(depth + 1)});
  } while (accept(','));
  expect('}', "',' or '}' is expected");
  object.count = static_cast<std::uint32_t>(sort_members(members, from));
  object.members = arena_.copy(std::span<const JsonMember>(members.data() + from, object.count)).data();
  members.resize(from);
}

std::string_view JsonReader::read_key() {
  if (peek() != '"') not_json("a key in quotes is expected");
  const auto key = read_string();
  expect(':', "':' is expected");
  return key;
}

std::string_view JsonReader::read_string() {
  const std::size_t begin = starts_[at_] + std::size_t{1};
  std::size_t end = starts_[at_ + 1];
  while (is_space(text_[end - 1])) --end;
  --end;  // the closing quote, which simdjson has seen
  const auto raw = text_.substr(begin, end - begin);
  if (has_backslash(begin, end)) return read_escaped_string(raw);
  ++at_;
  return raw;
}

bool JsonReader::has_backslash(std::size_t begin, std::size_t end) {
  return (begin < plain_from_ || end > plain_to_) && find_backslash(begin, end);
}

/// The answer where the known stretch without backslashes does not hold it all; moves or extends that stretch.
bool JsonReader::find_backslash(std::size_t begin, std::size_t end) {
  const auto first_in = [this](std::size_t from, std::size_t to) {
    const auto found = text_.substr(from, to - from).find('\\');
    return found == std::string_view::npos ? to : from + found;
  };
  if (begin > plain_to_) {
    plain_to_ = first_in(begin, text_.size());
    plain_from_ = begin;
  } else if (begin < plain_from_) {
    const std::size_t found = first_in(begin, plain_from_);
    if (found < plain_from_) plain_to_ = found;
    plain_from_ = begin;
  }
  return end > plain_to_;
}

std::string_view JsonReader::read_escaped_string(std::string_view raw) {
  auto& unescaped = scratch_.unescaped;
  unescaped.clear();
  const auto outcome = append_unescaped(unescaped, raw);
  if (outcome == Unescaped::bad_escape) not_json("a string has an unknown escape");
  if (outcome == Unescaped::nul)
    throw EventError("a string holds the character \\u0000, which no database text can hold");
  if (outcome == Unescaped::lone_surrogate)
    throw EventError("a string holds half of a surrogate pair (\\ud800 to \\udfff)");
  ++at_;
  return arena_.copy(unescaped);
}

void JsonReader::read_number(Json& number) {
  if (at_ >= size_) not_json("it ends too early");
  const auto digits = token();
  const auto notation = classify_number(digits);
  if (notation == NumberNotation::invalid) not_json("a value is expected");
  if (notation == NumberNotation::plain) {
    ++at_;
    number.type = Json::Type::number;
    number.text = digits;
    return;
  }
  const auto plain = plain_number(digits);
  if (!plain) {
    throw EventError("the number " + std::string(digits.substr(0, 40)) + " has more than " +
                     std::to_string(max_number_digits) + " digits before or after the point");
  }
  ++at_;
  number.type = Json::Type::number;
  number.text = arena_.copy(*plain);
}

void JsonReader::read_word(Json& word) {
  const auto letters = token();
  if (is_word(letters, "true") || is_word(letters, "false")) {
    word.type = Json::Type::boolean;
    word.boolean = letters.size() == 4;
  } else if (!is_word(letters, "null")) {
    not_json("a value is expected");
  }
  ++at_;
}

void JsonReader::check_scalar() {
  try {
    Json ignored;
    const char first = peek();
    if (first == '"') {
      read_string();
    } else if (first == 't' || first == 'f' || first == 'n') {
      read_word(ignored);
    } else {
      read_number(ignored);
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
  const auto out_of_order = [](const JsonMember& a, const JsonMember& b) { return !key_before(a, b); };
  if (std::adjacent_find(begin, members.end(), out_of_order) == members.end()) return members.size() - from;
  // A handful of members: inserting beats a sort that asks for memory.
  constexpr std::ptrdiff_t few = 24;
  if (members.end() - begin <= few) {
    for (auto at = begin + 1; at != members.end(); ++at) {
      const JsonMember member = *at;
      auto place = at;
      for (; place != begin && key_before(member, place[-1]); --place) *place = place[-1];
      *place = member;
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
