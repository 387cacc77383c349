#include "wire/contents.hpp"

#include <algorithm>
#include <string_view>

namespace raceway::wire {
namespace {

/// A plain number without the zeros that end its fraction.
std::string_view without_scale(std::string_view plain) {
  if (plain.find('.') == std::string_view::npos) return plain;
  plain = plain.substr(0, plain.find_last_not_of('0') + 1);
  return plain.ends_with('.') ? plain.substr(0, plain.size() - 1) : plain;
}

bool equal_members(const JsonMember& a, const JsonMember& b) {
  return a.key() == b.key() && equal_values(a.value, b.value);
}

}  // namespace

bool equal_values(const Json& a, const Json& b) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Json::Type::null:
      return true;
    case Json::Type::boolean:
      return a.boolean() == b.boolean();
    case Json::Type::number:
      return without_scale(a.text()) == without_scale(b.text());
    case Json::Type::string:
      return a.text() == b.text();
    case Json::Type::array:
      return std::ranges::equal(a.as_array(), b.as_array(), equal_values);
    case Json::Type::object:
      break;
  }
  return std::ranges::equal(a.as_object(), b.as_object(), equal_members);
}

bool equal_contents(const Event& a, const Event& b) {
  return a.kind == b.kind && a.timestamp == b.timestamp && a.duration_ms == b.duration_ms && a.location == b.location &&
         a.has_clock == b.has_clock && std::ranges::equal(a.clock, b.clock) && equal_values(a.metadata, b.metadata);
}

}  // namespace raceway::wire
