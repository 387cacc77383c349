// What may stop the server although the database is well: too few connections, timeouts, a clock, a disk.
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>

#include "doctor/checks.hpp"

namespace raceway::server::doctor {
namespace {

void connections(Examination& patient, Findings& findings) {
  const auto pool = std::int64_t{patient.config().storage.postgres.max_connections};
  const auto reserved = patient.number_of("superuser_reserved_connections") + patient.number_of("reserved_connections");
  const auto left = patient.number_of("max_connections") - reserved;
  const auto found =
      fmt::format("[storage.postgres] max_connections is {}, PostgreSQL has {} for plain roles", pool, left);
  if (pool <= left * 4 / 5) {
    findings.push_back({"max_connections", Severity::ok, found, {}});
    return;
  }
  const bool too_many = pool > left;
  findings.push_back({"max_connections",
                      too_many ? Severity::error : Severity::warning,
                      found + (too_many ? "" : ": hardly one is left for anybody else"),
                      {patient.mend_setting("max_connections", std::to_string(pool * 2 + reserved))}});
}

/// A limit of -1 is none.
void connection_limit(Examination& patient, Findings& findings, std::string_view check, const std::string& limit_sql,
                      const std::string& alter) {
  const auto pool = std::int64_t{patient.config().storage.postgres.max_connections};
  const auto limit = patient.ask_number(limit_sql);
  if (limit < 0 || limit >= pool) {
    findings.push_back({std::string(check), Severity::ok, limit < 0 ? "none" : std::to_string(limit), {}});
    return;
  }
  findings.push_back({std::string(check),
                      Severity::error,
                      fmt::format("{}, and [storage.postgres] max_connections is {}", limit, pool),
                      {{Place::sql, "superuser", {alter + " CONNECTION LIMIT -1;"}, ""}}});
}

void role_limit(Examination& patient, Findings& findings) {
  connection_limit(patient, findings, "connection limit of the role",
                   "SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = current_user",
                   "ALTER ROLE " + sql_name(patient.role));
}

void database_limit(Examination& patient, Findings& findings) {
  connection_limit(patient, findings, "connection limit of the database",
                   "SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = current_database()",
                   "ALTER DATABASE " + sql_name(patient.database));
}

void timeout(Examination& patient, Findings& findings, std::string_view name, std::int64_t least,
             const char* otherwise) {
  const auto* const setting = patient.setting(name);
  if (setting == nullptr) return;  // of a later PostgreSQL
  const auto seconds = patient.seconds_of(name);
  if (setting->text == "0" || seconds >= least) {
    findings.push_back(
        {std::string(name), Severity::ok, setting->text == "0" ? "none" : fmt::format("{} s", seconds), {}});
    return;
  }
  findings.push_back({std::string(name),
                      Severity::warning,
                      fmt::format("{} {}: {}", setting->text, setting->unit, otherwise),
                      {patient.mend_setting(name, "0")}});
}

void statement_timeout(Examination& patient, Findings& findings) {
  timeout(patient, findings, "statement_timeout", 30, "lists, exports and migrations may be cut off");
}

void lock_timeout(Examination& patient, Findings& findings) {
  timeout(patient, findings, "lock_timeout", 5, "a batch that waits for another one's trace may be refused");
}

void idle_timeout(Examination& patient, Findings& findings) {
  timeout(patient, findings, "idle_session_timeout", 10, "the pool's connections are closed behind its back");
}

void clock(Examination& patient, Findings& findings) {
  using std::chrono::system_clock;
  double least_trip = std::numeric_limits<double>::max();
  double ahead = 0;
  constexpr int tries = 3;
  for (int i = 0; i < tries; ++i) {
    const auto before = system_clock::now();
    const auto theirs = patient.ask("SELECT extract(epoch FROM pg_catalog.clock_timestamp())");
    const auto after = system_clock::now();
    const std::chrono::duration<double> trip = after - before;
    const std::chrono::duration<double> ours = before.time_since_epoch() + (after - before) / 2;
    if (trip.count() >= least_trip) continue;
    least_trip = trip.count();
    ahead = std::strtod(theirs.value_or("0").c_str(), nullptr) - ours.count();
  }
  // What the way took may have been one half or the other.
  if (std::abs(ahead) <= least_trip / 2) ahead = 0;
  findings.push_back(judge_clock(ahead));
}

void disk(Examination& patient, Findings& findings) {
  const auto size = patient.ask_number("SELECT pg_catalog.pg_database_size(current_database())");
  const std::string database = "the database takes " + shown_bytes(static_cast<std::uint64_t>(size));
  const auto directory = patient.text_of("data_directory");
  struct statvfs status = {};
  if (!patient.same_machine || directory.empty() || statvfs(directory.c_str(), &status) != 0) {
    findings.push_back({"disk", Severity::ok, database + "; how much is free cannot be seen from here", {}});
    return;
  }
  const std::uint64_t block = status.f_frsize;
  auto finding = judge_disk("PostgreSQL's disk", status.f_blocks * block, status.f_bavail * block);
  finding.found += "; " + database;
  findings.push_back(std::move(finding));
}

constexpr std::array<DatabaseCheck, 8> checks = {{
    {"max_connections", connections, false},
    {"connection limit of the role", role_limit, false},
    {"connection limit of the database", database_limit, false},
    {"statement_timeout", statement_timeout, false},
    {"lock_timeout", lock_timeout, false},
    {"idle_session_timeout", idle_timeout, false},
    {"clock", clock, false},
    {"disk", disk, false},
}};

}  // namespace

Finding judge_disk(const std::string& what, std::uint64_t size, std::uint64_t free) {
  constexpr std::uint64_t giga = 1ULL << 30U;
  const auto found = fmt::format("{} has {} free of {}", what, shown_bytes(free), shown_bytes(size));
  if (free > std::min(size / 10, 20 * giga)) return {"disk", Severity::ok, found, {}};
  const bool almost_full = free <= std::min(size / 50, 2 * giga);
  return {"disk",
          almost_full ? Severity::error : Severity::warning,
          found,
          {{Place::shell, "", {"raceway cleanup --older-than '7 days'"}, "or give it more"}}};
}

Finding judge_clock(double seconds_ahead) {
  const double off = std::abs(seconds_ahead);
  if (off < 1) return {"clock", Severity::ok, "the same here and in the database, to a second", {}};
  constexpr double far = 60;
  return {"clock",
          off < far ? Severity::warning : Severity::error,
          fmt::format("the database's is {:.0f} s {} of this machine's: times of events and created_at disagree", off,
                      seconds_ahead > 0 ? "ahead" : "behind"),
          {{Place::shell, "", {"timedatectl set-ntp true"}, "on the machine that is wrong, or on both"}}};
}

std::span<const DatabaseCheck> limit_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
