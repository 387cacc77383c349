#include "wire/event_parts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "wire/fields.hpp"
#include "wire/json_reader.hpp"
#include "wire/number.hpp"
#include "wire/text.hpp"
#include "wire/uuid.hpp"

namespace raceway::wire {
namespace {

using causality::Component;

/// A value as an error message shows it.
std::string shown(const Json& value) {
  std::string text;
  append_json(text, value);
  constexpr std::size_t limit = 60;
  return text.size() <= limit ? text : std::string(first_characters(text, limit)) + "...";
}

Component read_component(std::string_view field, std::string_view name, const Json& counter) {
  const auto value = counter.is(Json::Type::number) ? whole_number(counter.text) : std::nullopt;
  if (!value) {
    throw EventError(std::string(field) + ": component " + shown(Json::of_string(name)) + " has counter " +
                     shown(counter) + "; a counter is a whole number from 0 to 18446744073709551615");
  }
  return {name, *value};
}

bool by_name(const Component& a, const Component& b) {
  return causality::compare_names(a.name, b.name) < 0;
}

std::vector<Component> components_of_pairs(const Json& pairs, std::string_view field) {
  std::vector<Component> components;
  components.reserve(pairs.count);
  for (const auto& pair : pairs.as_array()) {
    const bool is_pair = pair.is(Json::Type::array) && pair.count == 2 && pair.elements[0].is(Json::Type::string);
    if (!is_pair) throw EventError(std::string(field) + ": " + shown(pair) + " is not a pair [component, counter]");
    components.push_back(read_component(field, pair.elements[0].text, pair.elements[1]));
  }
  return components;
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
  if (value->text.empty()) throw EventError(std::string(name) + " is empty");
  if (!fits(value->text, limit)) {
    throw EventError(std::string(name) + " has " + std::to_string(character_count(value->text)) +
                     " characters; at most " + std::to_string(limit) + " are kept");
  }
  return value->text;
}

Timestamp required_timestamp(const Json& event) {
  const Json* value = find_value(event, fields::timestamp);
  if (value == nullptr) throw EventError("timestamp is missing");
  if (!value->is(Json::Type::string)) throw EventError("timestamp is " + shown(*value) + ", not a string");
  return read_timestamp(value->text);
}

float read_duration(const Json& number, std::string_view name, double in_a_millisecond) {
  double value = 0;
  if (number.is(Json::Type::number)) {
    const auto [end, error] = std::from_chars(number.text.data(), number.text.data() + number.text.size(), value);
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

bool sort_components(std::vector<Component>& components) {
  if (components.size() < 2) return false;
  const auto out_of_order = [](const Component& a, const Component& b) { return !by_name(a, b); };
  if (std::adjacent_find(components.begin(), components.end(), out_of_order) == components.end()) return false;
  std::sort(components.begin(), components.end(), [](const Component& a, const Component& b) {
    return by_name(a, b) || (a.name == b.name && a.counter > b.counter);
  });
  const auto same_name = [](const Component& a, const Component& b) { return a.name == b.name; };
  components.erase(std::unique(components.begin(), components.end(), same_name), components.end());
  return true;
}

ReadClock read_clock(const Json& value, std::string_view name, Arena& arena) {
  std::vector<Component> components;
  bool reproducible = true;
  if (value.is(Json::Type::array)) {
    components = components_of_pairs(value, name);
    reproducible = !sort_components(components);
  } else if (value.is(Json::Type::object)) {
    components.reserve(value.count);
    for (const auto& member : value.as_object()) components.push_back(read_component(name, member.key, member.value));
  } else {
    throw EventError(std::string(name) + " is " + shown(value) + ", neither an object nor pairs [component, counter]");
  }
  return {arena.copy(std::span<const Component>(components)), reproducible};
}

void MetadataBuilder::add_fields(std::string_view key, std::vector<JsonMember>& fields) {
  if (!fields.empty()) add(key, make_object(fields));
}

bool MetadataBuilder::has(std::string_view key) const {
  return std::any_of(members_.begin(), members_.end(), [key](const JsonMember& member) { return member.key == key; });
}

Json MetadataBuilder::make_object(std::vector<JsonMember>& members) {
  Json object;
  object.type = Json::Type::object;
  object.count = static_cast<std::uint32_t>(sort_members(members, 0));
  object.members = arena_.copy(std::span<const JsonMember>(members.data(), object.count)).data();
  return object;
}

Json MetadataBuilder::build() {
  return make_object(members_);
}

void complete(Event& event) {
  const Json* service = event.metadata.find(fields::service_name);
  if (service != nullptr && service->is(Json::Type::string)) {
    event.service_name = first_characters(service->text, max_service_name_length);
  }
}

void add_nanos(MetadataBuilder& metadata, const Timestamp& time, Arena& arena) {
  if (time.nanos != 0) metadata.add(fields::timestamp_nanos, Json::of_number(arena.copy(std::to_string(time.nanos))));
}

}  // namespace raceway::wire
