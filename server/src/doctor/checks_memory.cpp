// What the backend in memory needs: memory, and a place for its snapshot.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "config/keys.hpp"
#include "config/machine_memory.hpp"
#include "doctor/checks.hpp"

namespace raceway::server::doctor {
namespace {

constexpr std::uint64_t default_share = 4;

void max_bytes(const config::Config& config, Findings& findings) {
  const auto memory = config::usable_memory();
  const auto limit = config.storage.memory.max_bytes;
  if (limit == 0 || limit <= memory / 2) {
    findings.push_back({"memory",
                        Severity::ok,
                        fmt::format("{} of {} for events", shown_bytes(limit == 0 ? memory / default_share : limit),
                                    shown_bytes(memory)),
                        {}});
    return;
  }
  findings.push_back(
      {"memory",
       limit > memory / 10 * 9 ? Severity::error : Severity::warning,
       fmt::format("[storage.memory] max_bytes is {}, and there are {}: the kernel may end the server before old "
                   "traces go",
                   shown_bytes(limit), shown_bytes(memory)),
       {{Place::config,
         "",
         {"[storage.memory]", fmt::format("max_bytes = {}", memory / default_share)},
         "restart raceway"}}});
}

void snapshot(const config::Config& config, Findings& findings) {
  const std::filesystem::path file = config.storage.memory.snapshot;
  if (file.empty()) {
    findings.push_back({"snapshot", Severity::ok, "none: nothing survives a restart", {}});
    return;
  }
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code error;
  Finding finding{"snapshot", Severity::error, "", {}};
  if (std::filesystem::is_directory(file, error)) {
    finding.found = file.string() + " is a directory";
    finding.mend = {{Place::config,
                     "",
                     {"[storage.memory]", "snapshot = " + config::in_quotes((file / "raceway.snapshot").string())},
                     ""}};
  } else if (!std::filesystem::is_directory(directory, error)) {
    finding.found = "there is no directory " + directory.string();
    finding.mend = {{Place::shell, "", {"mkdir -p " + in_shell(directory.string())}, "as the server's user"}};
  } else if (access(directory.c_str(), W_OK | X_OK) != 0) {
    finding.found = directory.string() + " cannot be written by this user";
    finding.mend = {
        {Place::shell, "", {"chown " + std::to_string(geteuid()) + " " + in_shell(directory.string())}, "as root"}};
  } else if (access(file.c_str(), F_OK) == 0 && access(file.c_str(), R_OK) != 0) {
    finding.found = file.string() + " cannot be read by this user";
    finding.mend = {
        {Place::shell, "", {"chown " + std::to_string(geteuid()) + " " + in_shell(file.string())}, "as root"}};
  } else {
    finding.severity = Severity::ok;
    finding.found = file.string();
  }
  const bool writable = finding.severity == Severity::ok;
  findings.push_back(std::move(finding));
  struct statvfs status = {};
  if (writable && statvfs(directory.c_str(), &status) == 0) {
    const std::uint64_t block = status.f_frsize;
    auto disk = judge_disk("the snapshot's disk", status.f_blocks * block, status.f_bavail * block);
    disk.mend.clear();  // what lies there is not ours
    findings.push_back(std::move(disk));
  }
}

constexpr std::array<ServerCheck, 2> checks = {{{"memory", max_bytes}, {"snapshot", snapshot}}};

}  // namespace

std::span<const ServerCheck> memory_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
