// Settings of PostgreSQL: those that lose data, and those that waste a machine of this memory.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "doctor/checks.hpp"

namespace raceway::server::doctor {
namespace {

constexpr std::uint64_t mega = 1ULL << 20U;
constexpr std::uint64_t giga = 1ULL << 30U;

/// A size that should be between two others.
struct Range {
  std::uint64_t least;
  std::uint64_t most;
  std::uint64_t wanted;
  const char* why;
};

void look_at_size(Examination& patient, Findings& findings, std::string_view name, const Range& range) {
  const auto size = patient.bytes_of(name);
  std::string found = shown_bytes(size);
  if (size >= range.least && size <= range.most) {
    findings.push_back(fine(name, std::move(found)));
    return;
  }
  found += fmt::format(", {} than {} of {} memory wants: {}", size < range.least ? "less" : "more", "a machine",
                       shown_bytes(patient.memory), range.why);
  findings.push_back({std::string(name),
                      Severity::warning,
                      std::move(found),
                      {patient.mend_setting(name, postgres_bytes(range.wanted))}});
}

void memory_known(Examination& patient, Findings& findings) {
  const std::string size = shown_bytes(patient.memory);
  if (patient.memory_source == MemorySource::given) {
    findings.push_back(fine("memory", size + ", as --memory says"));
  } else if (patient.memory_source == MemorySource::machine) {
    findings.push_back(fine("memory", size + ": PostgreSQL runs on this machine"));
  } else {
    findings.push_back(
        fine("memory", "not known, for PostgreSQL runs on another machine; its settings look as if it had " + size +
                           "; tell it by --memory"));
  }
}

void shared_buffers(Examination& patient, Findings& findings) {
  // Beyond some gigabytes the kernel's cache does as well.
  const auto quarter = std::min(patient.memory / 4, 16 * giga);
  look_at_size(patient, findings, "shared_buffers",
               {std::min(patient.memory / 8, 4 * giga), patient.memory / 2, quarter,
                "it holds the index pages that every batch touches; a quarter of the memory is usual"});
}

void work_mem(Examination& patient, Findings& findings) {
  const auto sessions = static_cast<std::uint64_t>(std::max<std::int64_t>(1, patient.number_of("max_connections")));
  look_at_size(
      patient, findings, "work_mem",
      {4 * mega, std::max(patient.memory / sessions, 4 * mega),
       std::clamp(patient.memory / 4 / sessions, 4 * mega, 64 * mega), "each sort of each session may take so much"});
}

void maintenance_work_mem(Examination& patient, Findings& findings) {
  look_at_size(patient, findings, "maintenance_work_mem",
               {64 * mega, patient.memory / 4, std::clamp(patient.memory / 16, 64 * mega, 2 * giga),
                "VACUUM and CREATE INDEX work in it"});
}

void effective_cache_size(Examination& patient, Findings& findings) {
  look_at_size(patient, findings, "effective_cache_size",
               {patient.memory * 3 / 8, patient.memory, patient.memory * 3 / 4,
                "by it plans are chosen; it is what the kernel is likely to cache"});
}

void wal_buffers(Examination& patient, Findings& findings) {
  look_at_size(patient, findings, "wal_buffers",
               {std::min(4 * mega, patient.bytes_of("shared_buffers") / 32), giga, 16 * mega,
                "writers wait for each other where the log's buffer is small"});
}

void max_wal_size(Examination& patient, Findings& findings) {
  look_at_size(
      patient, findings, "max_wal_size",
      {2 * giga, ~0ULL, 4 * giga,
       "a million events write about 750 MB of log, and checkpoints in quick succession write pages over and over"});
}

void checkpoint_completion_target(Examination& patient, Findings& findings) {
  const double target = patient.fraction_of("checkpoint_completion_target");
  constexpr double least = 0.7;
  if (target >= least) {
    findings.push_back(fine("checkpoint_completion_target", fmt::format("{}", target)));
    return;
  }
  findings.push_back({"checkpoint_completion_target",
                      Severity::warning,
                      fmt::format("{}: a checkpoint is written in a rush, and commits wait for the disk", target),
                      {patient.mend_setting("checkpoint_completion_target", "0.9")}});
}

void checkpoint_timeout(Examination& patient, Findings& findings) {
  const auto seconds = patient.seconds_of("checkpoint_timeout");
  constexpr std::int64_t least = 300;
  if (seconds >= least) {
    findings.push_back(fine("checkpoint_timeout", fmt::format("{} s", seconds)));
    return;
  }
  findings.push_back({"checkpoint_timeout",
                      Severity::warning,
                      fmt::format("{} s: after each checkpoint the log takes every page once as a whole", seconds),
                      {patient.mend_setting("checkpoint_timeout", "15min")}});
}

/// Only a hint: what the disk is cannot be seen from here.
void random_page_cost(Examination& patient, Findings& findings) {
  constexpr double of_spinning_disks = 4;
  auto finding = fine("random_page_cost", patient.text_of("random_page_cost"));
  if (patient.fraction_of("random_page_cost") >= of_spinning_disks) {
    finding.found += ", as for a spinning disk: on an SSD a lower one has more questions answered by an index";
    finding.mend = {patient.mend_setting("random_page_cost", "1.1")};
  }
  findings.push_back(std::move(finding));
}

/// One that must be on.
void must_be_on(Examination& patient, Findings& findings, std::string_view name, const char* otherwise) {
  if (patient.is_on(name)) {
    findings.push_back(fine(name, "on"));
  } else {
    findings.push_back(
        {std::string(name), Severity::error, "off: " + std::string(otherwise), {patient.mend_setting(name, "on")}});
  }
}

void fsync(Examination& patient, Findings& findings) {
  must_be_on(patient, findings, "fsync", "when the machine stops, the whole cluster may be lost");
}

void full_page_writes(Examination& patient, Findings& findings) {
  must_be_on(patient, findings, "full_page_writes", "when the machine stops, pages may be half written");
}

void autovacuum(Examination& patient, Findings& findings) {
  must_be_on(patient, findings, "autovacuum",
             "dead rows stay, and PostgreSQL stops when its transaction numbers run out");
}

void track_counts(Examination& patient, Findings& findings) {
  must_be_on(patient, findings, "track_counts", "autovacuum does not learn where there is something to do");
}

void synchronous_commit(Examination& patient, Findings& findings) {
  const auto value = patient.text_of("synchronous_commit");
  if (value != "off") {
    findings.push_back(fine("synchronous_commit", value));
    return;
  }
  const bool promised = patient.config().engine.ack == config::Ack::durable;
  findings.push_back(
      {"synchronous_commit",
       promised ? Severity::error : Severity::warning,
       promised ? "off, although [engine] ack is \"durable\": a crash loses events that were answered with 200"
                : "off: a crash of PostgreSQL loses the last commits",
       {patient.mend_setting("synchronous_commit", "on")}});
}

void pending_restart(Examination& patient, Findings& findings) {
  const auto waiting = patient.ask(
      "SELECT pg_catalog.string_agg(name, ', ' ORDER BY name) FROM pg_catalog.pg_settings WHERE pending_restart");
  if (!waiting) {
    findings.push_back(fine("pending_restart", "every setting is in force"));
    return;
  }
  findings.push_back({"pending_restart",
                      Severity::warning,
                      "changed, and not in force yet: " + *waiting,
                      {{Place::shell, "", {"systemctl restart postgresql"}, ""}}});
}

constexpr std::array<DatabaseCheck, 16> checks = {{
    {"memory", memory_known, false},
    {"shared_buffers", shared_buffers, false},
    {"work_mem", work_mem, false},
    {"maintenance_work_mem", maintenance_work_mem, false},
    {"effective_cache_size", effective_cache_size, false},
    {"random_page_cost", random_page_cost, false},
    {"wal_buffers", wal_buffers, false},
    {"max_wal_size", max_wal_size, false},
    {"checkpoint_timeout", checkpoint_timeout, false},
    {"checkpoint_completion_target", checkpoint_completion_target, false},
    {"fsync", fsync, false},
    {"full_page_writes", full_page_writes, false},
    {"synchronous_commit", synchronous_commit, false},
    {"autovacuum", autovacuum, false},
    {"track_counts", track_counts, false},
    {"pending_restart", pending_restart, false},
}};

}  // namespace

std::span<const DatabaseCheck> setting_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
