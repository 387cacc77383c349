// The command `raceway doctor` on the command line.
#pragma once

#include "doctor/options.hpp"

namespace CLI {
class App;
}

namespace raceway::server::doctor {

/// `options` is filled when `app` parses.
CLI::App* add_doctor(CLI::App& app, Options& options);

}  // namespace raceway::server::doctor
