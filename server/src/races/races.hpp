// The commands `raceway races` and `raceway explain`.
#pragma once

#include "config/config.hpp"
#include "races/options.hpp"

namespace raceway::server::races {

/// Prints the races. The process's exit code: 1 where there are some of the class that fails, else 0; 2 where there are
/// none, but not all events could be read. Throws what kept it from being done.
int find(const RacesOptions& options, const config::Config& config);

/// Prints how two events of a trace stand to each other, and why. The process's exit code, 0. Throws what kept it from
/// being done, such as that there is no such event.
int explain(const ExplainOptions& options, const config::Config& config);

}  // namespace raceway::server::races
