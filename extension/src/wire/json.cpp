#include "wire/json.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "wire/allowance.hpp"
#include "wire/bytes.hpp"

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
  if (type_ != Type::object) return nullptr;
  for (const auto& member : as_object()) {
    const std::string_view found = member.key();
    if (found.size() >= key.size()) {
      if (found.size() > key.size()) break;
      if (equal_bytes(found.data(), key.data(), key.size())) return &member.value;
    }
  }
  return nullptr;
}

/// The order of members, as jsonb has it.
class MemberOrder {
 public:
  static bool before(const JsonMember& a, const JsonMember& b) {
    if (a.key_size_ != b.key_size_) return a.key_size_ < b.key_size_;
    return std::memcmp(a.key_, b.key_, a.key_size_) < 0;
  }

  /// With a sort that keeps equal members in no order, and that may be broken off.
  static void sort_many(std::span<JsonMember> members, Allowance& allowance) {
    std::uint32_t place = 0;
    for (auto& member : members) member.place_ = place++;
    std::sort(members.begin(), members.end(), [&allowance](const JsonMember& a, const JsonMember& b) {
      allowance.step();
      const auto order = causality::compare_names(a.key(), b.key());
      return order != 0 ? order < 0 : a.place_ < b.place_;
    });
  }

  /// Of a handful, of which the first `in_order` are sorted.
  static void sort_few(std::span<JsonMember> members, std::size_t in_order) {
    for (std::size_t at = in_order; at < members.size(); ++at) {
      const JsonMember member = members[at];
      std::size_t place = at;
      for (; place != 0 && before(member, members[place - 1]); --place) members[place] = members[place - 1];
      members[place] = member;
    }
  }
};

std::size_t sort_members(std::span<JsonMember> members, Allowance& allowance) {
  std::size_t in_order = 1;
  while (in_order < members.size() && MemberOrder::before(members[in_order - 1], members[in_order])) ++in_order;
  if (in_order >= members.size()) return members.size();
  constexpr std::size_t few = 24;
  if (members.size() <= few) {
    MemberOrder::sort_few(members, in_order);
  } else {
    MemberOrder::sort_many(members, allowance);
  }
  auto kept = members.begin();
  for (const auto& member : members) {
    if (kept != members.begin() && (kept - 1)->key() == member.key()) --kept;
    *kept++ = member;
  }
  return static_cast<std::size_t>(kept - members.begin());
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

namespace {

/// `most` as append_some_json() has it. A string is cut to it.
void append_value(std::string& out, const Json& value, std::size_t most) {
  if (out.size() > most) return;
  switch (value.type()) {
    case Json::Type::null:
      out += "null";
      return;
    case Json::Type::boolean:
      out += value.boolean() ? "true" : "false";
      return;
    case Json::Type::number:
      out += value.text();
      return;
    case Json::Type::string:
      append_json_string(out, value.text().substr(0, most));
      return;
    case Json::Type::array: {
      char separator = '[';
      for (const auto& element : value.as_array()) {
        if (out.size() > most) return;
        out += separator;
        append_value(out, element, most);
        separator = ',';
      }
      out += value.count() == 0 ? "[]" : "]";
      return;
    }
    case Json::Type::object: {
      char separator = '{';
      for (const auto& member : value.as_object()) {
        if (out.size() > most) return;
        out += separator;
        append_json_string(out, member.key().substr(0, most));
        out += ':';
        append_value(out, member.value, most);
        separator = ',';
      }
      out += value.count() == 0 ? "{}" : "}";
      return;
    }
  }
}

}  // namespace

void append_json(std::string& out, const Json& value) {
  append_value(out, value, std::string::npos);
}

void append_some_json(std::string& out, const Json& value, std::size_t most) {
  append_value(out, value, most);
}

void append_json_clock(std::string& out, std::span<const causality::Component> clock) {
  char separator = '{';
  for (const auto& [name, counter] : clock) {
    out += separator;
    append_json_string(out, name);
    out += ':';
    out += std::to_string(counter);
    separator = ',';
  }
  out += clock.empty() ? "{}" : "}";
}

}  // namespace raceway::wire
