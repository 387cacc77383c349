#include "wire/json.hpp"

#include <cstdint>

#include "wire/bytes.hpp"
#include "wire/event.hpp"

namespace raceway::wire {
namespace {

constexpr std::string_view hex = "0123456789abcdef";

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default: {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\u00";
      out += hex[byte >> 4U];
      out += hex[byte & 0xFU];
    }
  }
}

bool must_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20U || c == '"' || c == '\\';
}

/// Whether one of eight bytes must be escaped.
bool may_escape(std::uint64_t bytes) {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t tops = 0x8080808080808080U;
  const auto has_zero = [](std::uint64_t word) { return (word - ones) & ~word; };
  const std::uint64_t below_space = (bytes - ones * 0x20U) & ~bytes;
  return ((below_space | has_zero(bytes ^ (ones * '"')) | has_zero(bytes ^ (ones * '\\'))) & tops) != 0;
}

}  // namespace

const Json* Json::find(std::string_view key) const {
  if (type != Type::object) return nullptr;
  for (const auto& member : as_object()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain_from = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    while (text.size() - at >= sizeof(std::uint64_t) && !may_escape(load_bytes<std::uint64_t>(text.data() + at))) {
      at += sizeof(std::uint64_t);
    }
    if (at == text.size()) break;
    if (!must_escape(text[at])) continue;
    out.append(text, plain_from, at - plain_from);
    append_escaped(out, text[at]);
    plain_from = at + 1;
  }
  out.append(text, plain_from);
  out += '"';
}

void append_json(std::string& out, const Json& value) {
  switch (value.type) {
    case Json::Type::null:
      out += "null";
      return;
    case Json::Type::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case Json::Type::number:
      out += value.text;
      return;
    case Json::Type::string:
      append_json_string(out, value.text);
      return;
    case Json::Type::array: {
      char separator = '[';
      for (const auto& element : value.as_array()) {
        out += separator;
        append_json(out, element);
        separator = ',';
      }
      out += value.count == 0 ? "[]" : "]";
      return;
    }
    case Json::Type::object: {
      char separator = '{';
      for (const auto& member : value.as_object()) {
        out += separator;
        append_json_string(out, member.key);
        out += ':';
        append_json(out, member.value);
        separator = ',';
      }
      out += value.count == 0 ? "{}" : "}";
      return;
    }
  }
}

void append_json_clock(std::string& out, const Event& event) {
  char separator = '{';
  for (const auto& [name, counter] : event.clock) {
    out += separator;
    append_json_string(out, name);
    out += ':';
    out += std::to_string(counter);
    separator = ',';
  }
  out += event.clock.empty() ? "{}" : "}";
}

}  // namespace raceway::wire
