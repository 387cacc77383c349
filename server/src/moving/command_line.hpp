// The options of `export` and `import` on the command line.
#pragma once

#include "moving/options.hpp"

namespace CLI {
class App;
}

namespace raceway::server::moving {

/// Adds the commands to `app`; parsing fills the options, which must outlive it. The answer is the command's own app.
CLI::App* add_export(CLI::App& app, ExportOptions& options);
CLI::App* add_import(CLI::App& app, ImportOptions& options);

}  // namespace raceway::server::moving
