// Log lines on stderr, as text or as JSON, one line each whatever the message holds.
#pragma once

#include <spdlog/spdlog.h>

#include <memory>
#include <string_view>

#include "config/config.hpp"

namespace raceway::server::observability {

/// Makes spdlog's default logger write by `logging`. Call once at the start, before other threads; until then lines are
/// text at level info.
void start_logging(const config::Logging& logging);

/// The logger of a part of the server ("http", "ingest", "storage"); its name is shown with include_modules.
/// Thread-safe; call after start_logging and keep the pointer where lines are frequent.
std::shared_ptr<spdlog::logger> module_logger(std::string_view module);

/// A formatter as start_logging installs it; separate so that it can be tested.
std::unique_ptr<spdlog::formatter> make_formatter(const config::Logging& logging);

}  // namespace raceway::server::observability
