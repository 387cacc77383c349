// What an event is called where there is room for a few words: POST /transfer, balance, acquire m.
#pragma once

#include <cstddef>
#include <string>

#include "wire/event.hpp"
#include "wire/json.hpp"

namespace raceway::server::analysis {

/// Longer names are cut, between characters. Bytes.
inline constexpr std::size_t longest_event_name = 120;

std::string event_name(const wire::Row& row, const wire::Json& metadata);

/// Whether it tells that something went wrong: an Error, or an answer with a status of 500 or more.
bool tells_error(const wire::Row& row, const wire::Json& metadata);

}  // namespace raceway::server::analysis
