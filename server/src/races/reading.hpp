// Events from wherever they are, into the memory store of this process.
#pragma once

#include <memory>

#include "config/config.hpp"
#include "memory/memory_storage.hpp"
#include "races/options.hpp"

namespace raceway::server::races {

struct ReadEvents {
  std::unique_ptr<memory::MemoryStorage> storage;
  bool has_problems = false;  ///< some could not be read; each was told on stderr
};

/// Throws std::runtime_error where nothing can be read, or a trace that was asked for is not there.
ReadEvents read_events(const Reading& reading, const config::Config& config);

}  // namespace raceway::server::races
