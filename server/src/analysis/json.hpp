// Small pieces of JSON that the answers of the analysis are made of.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/json.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::analysis {

/// Appends "NAME":, behind a comma unless an object or a list has just begun.
inline void append_key(std::string& out, std::string_view name) {
  if (!out.empty() && out.back() != '{' && out.back() != '[') out += ',';
  out += '"';
  out += name;
  out += "\":";
}

inline void append_text(std::string& out, std::string_view name, std::string_view text) {
  append_key(out, name);
  wire::append_json_string(out, text);
}

/// Appends a list of objects, each of which `append` fills.
template <class Items, class Append>
void append_list(std::string& out, std::string_view name, const Items& items, Append append) {
  append_key(out, name);
  out += '[';
  bool first = true;
  for (const auto& item : items) {
    out += first ? "{" : ",{";
    first = false;
    append(item);
    out += '}';
  }
  out += ']';
}

template <class Texts>
void append_texts(std::string& out, std::string_view name, const Texts& texts) {
  append_key(out, name);
  out += '[';
  bool first = true;
  for (const std::string_view text : texts) {
    if (!first) out += ',';
    first = false;
    wire::append_json_string(out, text);
  }
  out += ']';
}

inline void append_count(std::string& out, std::string_view name, std::uint64_t count) {
  append_key(out, name);
  out += std::to_string(count);
}

inline void append_flag(std::string& out, std::string_view name, bool flag) {
  append_key(out, name);
  out += flag ? "true" : "false";
}

inline void append_time(std::string& out, std::string_view name, const wire::Timestamp& time, std::string_view zone) {
  append_key(out, name);
  out += '"';
  wire::append_timestamp(out, time, zone);
  out += '"';
}

/// Appends digits behind a point, without zeros at their end, but one digit at least.
inline void append_fraction(std::string& out, std::string digits) {
  digits.resize(std::max<std::size_t>(digits.find_last_not_of('0') + 1, 1));
  out += '.' + digits;
}

/// Appends nanoseconds as milliseconds, exactly, with one digit of fraction at least.
inline void append_millis(std::string& out, std::int64_t nanos) {
  constexpr std::int64_t nanos_in_a_millisecond = 1'000'000;
  out += std::to_string(nanos / nanos_in_a_millisecond);
  append_fraction(out, std::to_string(nanos_in_a_millisecond + nanos % nanos_in_a_millisecond).substr(1));
}
inline void append_millis(std::string& out, std::string_view name, std::int64_t nanos) {
  append_key(out, name);
  append_millis(out, nanos);
}

/// Appends the shortest decimal that names the number, with one digit of fraction at least.
inline void append_real(std::string& out, std::string_view name, double value) {
  append_key(out, name);
  std::array<char, 400> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
  const std::string_view digits(text.data(), static_cast<std::size_t>(end - text.data()));
  out += digits;
  if (digits.find('.') == std::string_view::npos) out += ".0";
}

}  // namespace raceway::server::analysis
