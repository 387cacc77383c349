// `raceway status`: how a running server is doing.
#pragma once

#include "config/config.hpp"
#include "status/options.hpp"

namespace raceway::server::status {

/// Prints what the server says; the exit status: 0, or 2 where nothing answers. With options.watch it goes on until the
/// process is ended, also while nothing answers. Throws config::UsageError where the URL is none.
int run(const Options& options, const config::Config& config);

}  // namespace raceway::server::status
