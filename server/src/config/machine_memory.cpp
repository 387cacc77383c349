#include "config/machine_memory.hpp"

#include <sys/sysinfo.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

namespace raceway::server::config {
namespace {

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

/// The number in a file; "max", or no such file, is no limit.
std::uint64_t limit_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::uint64_t limit = 0;
  return in >> limit ? limit : no_limit;
}

/// The least limit of a group and of those that it is in.
std::uint64_t least_limit(const std::filesystem::path& hierarchy, const std::string& group, const char* name) {
  std::uint64_t least = limit_in(hierarchy / name);
  std::filesystem::path at = hierarchy;
  for (const auto& part : std::filesystem::path(group).relative_path()) {
    at /= part;
    least = std::min(least, limit_in(at / name));
  }
  return least;
}

std::uint64_t memory_of_machine() {
  struct sysinfo info = {};
  if (sysinfo(&info) != 0) return no_limit;
  return std::uint64_t{info.totalram} * info.mem_unit;
}

}  // namespace

std::uint64_t usable_memory(const std::filesystem::path& root) {
  std::uint64_t least = memory_of_machine();
  const auto groups = root / "sys/fs/cgroup";
  std::ifstream memberships(root / "proc/self/cgroup");
  // A line each: HIERARCHY:CONTROLLERS:GROUP; version 2 names no controllers. In a container the group may be named as
  // it is outside, and then its limit stands at the top.
  for (std::string line; std::getline(memberships, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {
      least = std::min(least, least_limit(groups, group, "memory.max"));
    } else if (controllers.find(",memory,") != std::string::npos) {
      least = std::min(least, least_limit(groups / "memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

}  // namespace raceway::server::config
