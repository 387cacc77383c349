// The routes that the web UI signs in with: /auth/login, /auth/logout, /auth/check.
#pragma once

#include "http/server.hpp"
#include "http/sessions.hpp"

namespace raceway::server::http {

/// `sessions` outlives the server. They are open to those without an API key.
void add_auth_routes(Server& server, Sessions& sessions);

}  // namespace raceway::server::http
