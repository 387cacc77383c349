#include "wire/row_json.hpp"

#include <stdexcept>
#include <string>

#include "wire/fields.hpp"
#include "wire/json_reader.hpp"
#include "wire/number.hpp"

namespace raceway::wire {

Json read_row_object(std::string_view text, Arena& arena) {
  const Json empty = Json::of_object({});
  if (text.empty()) return empty;
  try {
    // In `event_fields` a value stands one level deeper than it stood in its event.
    const Json json = read_json(text, arena, -1);
    return json.is(Json::Type::object) ? json : empty;
  } catch (const std::runtime_error& error) {
    throw std::invalid_argument("a stored event cannot be read: " + std::string(error.what()));
  }
}

int nanos_in(const Json& metadata) {
  const Json* value = metadata.find(fields::timestamp_nanos);
  if (value == nullptr || !value->is(Json::Type::number)) return 0;
  const auto nanos = whole_number(value->text());
  return nanos && *nanos < 1'000 ? static_cast<int>(*nanos) : 0;
}

}  // namespace raceway::wire
