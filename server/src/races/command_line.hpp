// The options of `raceway races` and `raceway explain`.
#pragma once

#include "races/options.hpp"

namespace CLI {
class App;
}

namespace raceway::server::races {

CLI::App* add_races(CLI::App& app, RacesOptions& options);
CLI::App* add_explain(CLI::App& app, ExplainOptions& options);

}  // namespace raceway::server::races
