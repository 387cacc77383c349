// How values of keys are read from text, checked and written.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/keys.hpp"

namespace raceway::server::config {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return result;
}

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The refused value as part of a message; long ones are cut, secret ones not shown.
[[noreturn]] void refuse(const Key& key, std::string_view shown) {
  constexpr std::size_t longest = 60;
  if (key.secret) throw ValueError(fmt::format("must be {}", wanted(key)));
  if (shown.size() > longest) {
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xC0) == 0x80) --end;  // not inside a UTF-8 character
    throw ValueError(fmt::format("must be {}, not {}...", wanted(key), shown.substr(0, end)));
  }
  throw ValueError(fmt::format("must be {}, not {}", wanted(key), shown));
}

std::string joined(std::span<const std::string_view> choices) {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) text += i + 1 == choices.size() ? " or " : ", ";
    text += in_quotes(choices[i]);
  }
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> items;
  if (trimmed(text).empty()) return items;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    items.emplace_back(trimmed(text.substr(start, end - start)));
    start = end + 1;
  }
  return items;
}

bool right_type(const Key& key, const Value& value) {
  switch (key.type) {
    case Type::flag:
      return std::holds_alternative<bool>(value);
    case Type::integer:
      return std::holds_alternative<std::int64_t>(value);
    case Type::text:
    case Type::choice:
      return std::holds_alternative<std::string>(value);
    case Type::list:
      return std::holds_alternative<std::vector<std::string>>(value);
  }
  return false;
}

}  // namespace

std::string wanted(const Key& key) {
  switch (key.type) {
    case Type::flag:
      return "true or false";
    case Type::integer:
      return fmt::format("a whole number from {} to {}", key.min, key.max);
    case Type::text:
      return "a string";
    case Type::choice:
      return joined(key.choices);
    case Type::list:
      return "a list of strings, none empty";
  }
  return {};
}

Value parse_text(const Key& key, std::string_view text) {
  const std::string_view word = trimmed(text);
  if (key.type == Type::flag) {
    const std::string flag = lower(word);
    if (flag == "true" || flag == "1") return true;
    if (flag == "false" || flag == "0") return false;
    refuse(key, in_quotes(text));
  }
  if (key.type == Type::integer) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) refuse(key, in_quotes(text));
    return number;
  }
  if (key.type == Type::list) return split(text);
  return std::string(word);
}

Value check(const Key& key, Value value) {
  if (!right_type(key, value)) refuse(key, to_toml(value));
  if (const auto* number = std::get_if<std::int64_t>(&value); number && (*number < key.min || *number > key.max)) {
    refuse(key, std::to_string(*number));
  }
  if (key.type == Type::choice) {
    std::string name = lower(std::get<std::string>(value));
    if (std::find(key.choices.begin(), key.choices.end(), name) == key.choices.end()) refuse(key, to_toml(value));
    return name;
  }
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    if (std::find(list->begin(), list->end(), "") != list->end()) refuse(key, to_toml(value));
  }
  return value;
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string to_toml(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return in_quotes(*text);
  std::string items;
  for (const std::string& item : std::get<std::vector<std::string>>(value)) {
    items += (items.empty() ? "" : ", ") + in_quotes(item);
  }
  return "[" + items + "]";
}

}  // namespace raceway::server::config
