// The list of traces as the web page asks for it: searched, and going on by a cursor.
#pragma once

#include "http/api.hpp"
#include "http/message.hpp"

namespace raceway::server::http {

/// Whether a request for GET /api/traces has any of q, races, errors, min_duration, variable, after and limit.
bool asks_for_a_search(const Request& request);

/// The answer to such a one.
Response get_found_traces(Api& api, const Request& request);

}  // namespace raceway::server::http
