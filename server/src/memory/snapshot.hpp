// The memory store in a file, and back.
//
// Of each trace a frame `trace`: when it grew, its summary, the dictionary it was written with and how many texts of it
// must be known, its chunks or the first of them; the others follow in frames `chunks`, or a frame `dropped` where the
// trace was evicted meanwhile. Texts of a dictionary stand before the traces that need them, and all of them once more
// before the frame `end`, so that no single damage takes many traces along.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "memory/store.hpp"

namespace raceway::server::memory {

struct SaveReport {
  std::uint64_t traces = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  ///< of the file
};

/// Each trace as of one moment, traces that are new meanwhile perhaps not; a shard is locked for a few chunks at a
/// time. The file is the old one or the new one, whatever happens. Thread-safe for one thread at a time that saves.
/// Throws std::system_error or std::bad_alloc; what was there stays.
SaveReport save_snapshot(Store& store, const std::filesystem::path& path);

struct LoadReport {
  std::uint64_t traces = 0;
  std::uint64_t events = 0;
  std::uint64_t lost_traces = 0;    ///< that are in the file and could not be read whole
  std::vector<std::string> damage;  ///< in words, with its place; empty where the file is whole
};

/// Fills an empty store that no one else uses yet with what can be read of a snapshot's bytes. What is beyond the
/// limits goes at once. Throws std::runtime_error where a newer Raceway has written it, and std::bad_alloc.
LoadReport load_snapshot(Store& store, std::string_view file);

}  // namespace raceway::server::memory
