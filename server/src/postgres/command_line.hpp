// The commands `raceway migrate` and `raceway cleanup` on the command line.
#pragma once

#include "postgres/options.hpp"

namespace CLI {
class App;
}

namespace raceway::server::postgres {

/// Adds the commands to `app`; parsing fills the options, which must outlive it. The answer is the command's own app.
CLI::App* add_migrate(CLI::App& app, MigrateOptions& options);
CLI::App* add_cleanup(CLI::App& app, CleanupOptions& options);

}  // namespace raceway::server::postgres
