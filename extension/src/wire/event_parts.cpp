#include "wire/event_parts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "wire/fields.hpp"
#include "wire/number.hpp"
#include "wire/text.hpp"
#include "wire/uuid.hpp"

namespace raceway::wire {
namespace {

using causality::Component;

/// A value as an error message shows it.
std::string shown(const Json& value) {
  constexpr std::size_t limit = 60;
  constexpr std::size_t longest_character = 4;
  std::string text;
  append_some_json(text, value, limit * longest_character);
  return text.size() <= limit ? text : std::string(first_characters(text, limit)) + "...";
}

Component read_component(std::string_view field, std::string_view name, const Json& counter) {
  const auto value = counter.is(Json::Type::number) ? whole_number(counter.text()) : std::nullopt;
  if (!value) {
    throw EventError(std::string(field) + ": component " + shown(Json::of_string(name)) + " has counter " +
                     shown(counter) + "; a counter is a whole number from 0 to 18446744073709551615");
  }
  return {name, *value};
}

std::span<Component> components_of_pairs(const Json& pairs, std::string_view field, Arena& arena) {
  Component* const components = arena.allocate<Component>(pairs.count());
  std::size_t count = 0;
  for (const auto& pair : pairs.as_array()) {
    arena.allowance().step();
    const auto parts = pair.is(Json::Type::array) ? pair.as_array() : std::span<const Json>();
    const bool is_pair = parts.size() == 2 && parts[0].is(Json::Type::string);
    if (!is_pair) throw EventError(std::string(field) + ": " + shown(pair) + " is not a pair [component, counter]");
    components[count++] = read_component(field, parts[0].text(), parts[1]);
  }
  return {components, count};
}

std::span<Component> components_of_object(const Json& object, std::string_view field, Arena& arena) {
  Component* const components = arena.allocate<Component>(object.count());
  std::size_t count = 0;
  for (const auto& member : object.as_object()) {
    arena.allowance().step();
    components[count++] = read_component(field, member.key(), member.value);
  }
  return {components, count};
}

}  // namespace

const Json* find_value(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  return value != nullptr && !value->is(Json::Type::null) ? value : nullptr;
}

std::string_view required_text(const Json& event, std::string_view name, std::size_t limit) {
  const Json* value = find_value(event, name);
  if (value == nullptr) throw EventError(std::string(name) + " is missing");
  if (!value->is(Json::Type::string)) throw EventError(std::string(name) + " is " + shown(*value) + ", not a string");
  const auto text = value->text();
  if (text.empty()) throw EventError(std::string(name) + " is empty");
  if (!fits(text, limit)) {
    throw EventError(std::string(name) + " has " + std::to_string(character_count(text)) + " characters; at most " +
                     std::to_string(limit) + " are kept");
  }
  return text;
}

Timestamp required_timestamp(const Json& event) {
  const Json* value = find_value(event, fields::timestamp);
  if (value == nullptr) throw EventError("timestamp is missing");
  if (!value->is(Json::Type::string)) throw EventError("timestamp is " + shown(*value) + ", not a string");
  return read_timestamp(value->text());
}

float read_duration(const Json& number, std::string_view name, double in_a_millisecond) {
  double value = 0;
  if (number.is(Json::Type::number)) {
    const auto text = number.text();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const double milliseconds = value / in_a_millisecond;
    const bool fits_column = std::abs(milliseconds) <= static_cast<double>(std::numeric_limits<float>::max());
    if (error == std::errc{} && fits_column) return static_cast<float>(milliseconds);
  }
  throw EventError(std::string(name) + " is " + shown(number) + ", not a number that a duration can be");
}

std::string_view normalized_uuid(std::string_view id, Arena& arena) {
  if (is_canonical_uuid(id)) return id;
  const auto canonical = canonical_uuid(id);
  return canonical ? arena.copy(*canonical) : id;
}

bool is_sorted_clock(std::span<const Component> components) {
  const auto out_of_order = [](const Component& a, const Component& b) {
    return causality::compare_names(a.name, b.name) >= 0;
  };
  return std::adjacent_find(components.begin(), components.end(), out_of_order) == components.end();
}

std::size_t sort_components(std::span<Component> components, Allowance& allowance) {
  std::sort(components.begin(), components.end(), [&allowance](const Component& a, const Component& b) {
    allowance.step();
    const auto order = causality::compare_names(a.name, b.name);
    return order != 0 ? order < 0 : a.counter > b.counter;
  });
  const auto same_name = [](const Component& a, const Component& b) { return a.name == b.name; };
  return static_cast<std::size_t>(std::unique(components.begin(), components.end(), same_name) - components.begin());
}

ReadClock read_clock(const Json& value, std::string_view name, Arena& arena) {
  if (value.is(Json::Type::object)) return {components_of_object(value, name, arena), true};
  if (!value.is(Json::Type::array)) {
    throw EventError(std::string(name) + " is " + shown(value) + ", neither an object nor pairs [component, counter]");
  }
  const auto components = components_of_pairs(value, name, arena);
  if (is_sorted_clock(components)) return {components, true};
  return {components.first(sort_components(components, arena.allowance())), false};
}

void MetadataBuilder::add(std::string_view key, const Json& value) {
  if (own_ == nullptr) {
    own_ = arena_.allocate<JsonMember>(members_.size() + most_added_);
    std::copy(members_.begin(), members_.end(), own_);
  }
  own_[members_.size()] = {key, value};
  members_ = {own_, members_.size() + 1};
}

void MetadataBuilder::add_fields(std::string_view key, std::span<const JsonMember> fields) {
  if (!fields.empty()) add(key, Json::of_object(fields));
}

bool MetadataBuilder::has(std::string_view key) const {
  return std::any_of(members_.begin(), members_.end(), [key](const JsonMember& member) { return member.key() == key; });
}

Json MetadataBuilder::build() {
  if (own_ == nullptr) return Json::of_object(members_);
  return Json::of_object(members_.first(sort_members({own_, members_.size()}, arena_.allowance())));
}

void complete(Event& event) {
  const Json* service = event.metadata.find(fields::service_name);
  if (service != nullptr && service->is(Json::Type::string)) {
    event.service_name = first_characters(service->text(), max_service_name_length);
  }
}

void add_nanos(MetadataBuilder& metadata, const Timestamp& time, Arena& arena) {
  if (time.nanos != 0) metadata.add(fields::timestamp_nanos, Json::of_number(arena.copy(std::to_string(time.nanos))));
}

}  // namespace raceway::wire
