// The command `raceway status` on the command line.
#pragma once

#include "status/options.hpp"

namespace CLI {
class App;
}

namespace raceway::server::status {

/// `options` is filled when `app` parses.
CLI::App* add_status(CLI::App& app, Options& options);

}  // namespace raceway::server::status
