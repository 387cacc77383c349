// Writing events back in the SDK's form, the one that SDKs, web and terminal UIs know.
#pragma once

#include <string>

#include "wire/event.hpp"

namespace raceway::wire {

/// Appends the event as `{"id":..,"trace_id":..,"parent_id":..,"timestamp":..,"kind":{..},"metadata":{..},
/// "causality_vector":[..],"lock_set":[..]}`: what was sent in that form comes back field by field. An event sent in
/// the documented form gets the fields that clients need and it lacks (empty thread_id, tags {} ...).
/// Throws std::invalid_argument where a text of the row is not JSON.
void append_sdk_event(std::string& out, const Row& row);

}  // namespace raceway::wire
