// `raceway doctor`: looks at the configuration, the database and the machine, and says what is wrong.
#pragma once

#include <iosfwd>

#include "config/config.hpp"
#include "doctor/finding.hpp"
#include "doctor/options.hpp"

namespace raceway::server::doctor {

/// Changes nothing. Does not throw for what it finds: a check that could not be done is a finding.
Findings examine(const config::Sources& sources, const Options& options);

/// Prints what it finds; the exit status: 0 all well, 1 warnings, 2 errors.
int run(const config::Sources& sources, const Options& options);

}  // namespace raceway::server::doctor
