// Operations: what an event does, as durations are compared by.
#pragma once

#include <string>

#include "wire/event.hpp"
#include "wire/json.hpp"

namespace raceway::server::analysis {

/// As the HTTP contract names kinds: FunctionCall(f), HttpRequest(GET), HttpResponse(200), DatabaseQuery ..
std::string operation_of(const wire::Row& row, const wire::Json& metadata);

/// The text of a member that is a string or a number, else empty.
std::string_view text_in(const wire::Json& metadata, std::string_view name);

}  // namespace raceway::server::analysis
