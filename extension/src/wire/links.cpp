#include "wire/links.hpp"

#include <vector>

#include "wire/arena.hpp"
#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/row_json.hpp"

namespace raceway::wire {

Links read_links(const Row& row) {
  Links links;
  links.memory = std::make_shared<Arena>();
  const Json metadata = read_row_object(row.metadata, *links.memory);
  const Json* parent = metadata.find(fields::parent_id);
  if (parent != nullptr && parent->is(Json::Type::string)) links.parent_id = parent->text();
  links.timestamp_nanos = nanos_in(metadata);
  try {
    const Json clock = read_row_object(row.vector_clock, *links.memory);
    links.clock = read_clock(clock, fields::vector_clock, *links.memory).components;
  } catch (const EventError&) {
    // Put there by hand, and no clock: an event without one.
  }
  return links;
}

}  // namespace raceway::wire
