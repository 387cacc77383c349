// How much memory this process may use.
#pragma once

#include <cstdint>
#include <filesystem>

namespace raceway::server::config {

/// Bytes: those of the machine, or fewer where a control group (version 1 or 2) that the process is in is limited.
/// `root` is where /proc and /sys are looked for.
std::uint64_t usable_memory(const std::filesystem::path& root = "/");

}  // namespace raceway::server::config
