// The routes of the page: the same HTML for each of its views, and the files that it loads.
#pragma once

#include <string_view>

#include "http/server.hpp"
#include "web/bundle.hpp"

namespace raceway::server::web {

/// Adds them to `server`. They need no API key: they hold no data. `base_path` is the prefix under which a proxy serves
/// this server, "/raceway", or empty. Of a bundle without a page there is one route, which says so.
void add_page_routes(http::Server& server, const Bundle& bundle, std::string_view base_path);

}  // namespace raceway::server::web
