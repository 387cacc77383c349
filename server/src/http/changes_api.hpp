// What is new, and how full the store is.
#pragma once

#include "http/api.hpp"
#include "http/message.hpp"

namespace raceway::server::http {

/// GET /api/changes: traces that came or grew since a cursor, and counters.
Response get_changes(Api& api, const Request& request);

/// GET /api/storage: which store it is, what it may hold, what went, and what was rejected lately.
Response get_storage(Api& api);

}  // namespace raceway::server::http
