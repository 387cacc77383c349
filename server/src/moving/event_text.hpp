// An event as text that loses nothing: the documented form with all that its row holds. Read again, it makes the same
// row, to the nanosecond, with parent_id, lock_set and whatever else stands in the row's metadata.
#pragma once

#include <string>
#include <string_view>

#include "wire/event.hpp"

namespace raceway::server::moving {

/// Appends a row as one line without its end.
void append_row(std::string& out, const wire::Row& row);

/// What an answer in the SDK's form does not say.
struct Unsaid {
  /// Events with an empty service_name had none: the form fills it in, and no service of that name exists.
  bool no_service = false;
};

/// Appends an event in the SDK's form, as the API answers it, likewise. What that form fills in for events that were
/// sent in the documented one is left out again. Throws wire::BodyError or wire::EventError where it is no such event.
void append_api_event(std::string& out, std::string_view sdk_event, const Unsaid& unsaid);

}  // namespace raceway::server::moving
