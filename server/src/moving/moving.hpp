// The commands `raceway export` and `raceway import`.
#pragma once

#include "config/config.hpp"
#include "moving/options.hpp"

namespace raceway::server::moving {

/// The process's exit code: 0; 1 where a trace that was asked for is not there. Throws what kept it from being done.
int export_events(const ExportOptions& options, const config::Config& config);

/// The process's exit code: 0; 1 where something was rejected or could not be read. Throws what kept it from going on,
/// after telling what is in.
int import_events(const ImportOptions& options, const config::Config& config);

}  // namespace raceway::server::moving
