// The checks, each a small function that adds what it finds. Their order in the tables is that of the report.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "doctor/examination.hpp"
#include "doctor/finding.hpp"

namespace raceway::server::doctor {

/// Of the database. May throw postgres::DatabaseError: then it could not be done.
struct DatabaseCheck {
  std::string_view name;
  void (*look)(Examination&, Findings&);
  bool needs_tables;  ///< left out where they are not there
};

std::span<const DatabaseCheck> code_checks();       ///< versions, edition, privileges
std::span<const DatabaseCheck> setting_checks();    ///< settings of PostgreSQL
std::span<const DatabaseCheck> limit_checks();      ///< connections, timeouts, the clock, the disk
std::span<const DatabaseCheck> table_checks();      ///< keys, indexes, dead rows, partitions
std::span<const DatabaseCheck> bloat_checks();      ///< room in their files that no row takes
std::span<const DatabaseCheck> upkeep_checks();     ///< old transactions, forgotten slots, numbers that run out
std::span<const DatabaseCheck> transport_checks();  ///< encryption of the way to the database
std::span<const DatabaseCheck> retention_checks();  ///< who removes old traces

/// Of this machine and the configuration. Must not throw.
struct ServerCheck {
  std::string_view name;
  void (*look)(const config::Config&, Findings&);
};

std::span<const ServerCheck> server_checks();  ///< port, files, keys
std::span<const ServerCheck> memory_checks();  ///< what the memory backend needs

/// What the doctor makes of a disk with so many bytes in all and free, which `what` names.
Finding judge_disk(const std::string& what, std::uint64_t size, std::uint64_t free);

/// What it makes of rows whose numbers of transactions (or multixacts) are so many ago, where autovacuum freezes them
/// at `autovacuum_from`.
Severity judge_age(std::int64_t age, std::int64_t autovacuum_from);

/// The way to the database, as both ends see it.
struct Transport {
  bool local = false;                 ///< it does not leave this machine
  bool encrypted = false;             ///< at our end
  std::string sslmode;                ///< in force
  bool has_root_certificate = false;  ///< the connection string or the environment names one
  bool backend_encrypted = false;     ///< at PostgreSQL's end, which may lead to a pooler
  bool backend_remote = false;        ///< that end comes from another machine than PostgreSQL's
};

/// What it makes of that; what mends our end is not in it.
Finding judge_transport(const Transport& way);

/// What it makes of a clock that is so far ahead of ours (or behind: negative).
Finding judge_clock(double seconds_ahead);

}  // namespace raceway::server::doctor
