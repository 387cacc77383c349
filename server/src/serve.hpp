// The command `raceway serve`.
#pragma once

#include "config/config.hpp"

namespace raceway::server {

/// Serves until SIGTERM, SIGHUP or SIGINT, then drains. Answers the process's exit code: 0 where everything that was
/// acknowledged is stored. Throws what stops the start, with what to do about it.
int serve(const config::LoadedConfig& loaded);

}  // namespace raceway::server
