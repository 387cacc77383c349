// How much the memory store may hold, and what it let go of to hold no more.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace raceway::server::storage {

/// 0: no limit.
struct MemoryLimits {
  std::uint64_t max_traces = 0;
  std::chrono::seconds max_age{0};  ///< since a trace got its last event
  std::uint64_t max_bytes = 0;      ///< of the heap, with all that finds and counts the events
};

enum class MemoryLimit { bytes, traces, age };
inline constexpr std::size_t memory_limits = 3;
/// As answers and figures spell them.
inline constexpr std::array<const char*, memory_limits> names_of_memory_limits = {"bytes", "traces", "age"};

struct EvictionCounts {
  std::uint64_t traces = 0;
  std::uint64_t events = 0;
};

}  // namespace raceway::server::storage
