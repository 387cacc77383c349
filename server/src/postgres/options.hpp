// What `raceway migrate` and `raceway cleanup` were asked to do.
#pragma once

#include <optional>
#include <string>

namespace raceway::server::postgres {

struct MigrateOptions {
  std::optional<std::string> partition_by;  ///< none, day, week or month; the database judges it
  std::optional<std::string> edition;       ///< extension or portable: to move to
  bool print_portable = false;              ///< only print the portable edition
};

/// What `raceway cleanup` was asked to remove; PostgreSQL says what each may be, and what is wrong with it.
struct CleanupOptions {
  std::optional<std::string> older_than;  ///< an interval as PostgreSQL writes it
  std::optional<std::string> max_traces;
  std::optional<std::string> max_bytes;
  std::optional<std::string> by;  ///< created_at or end_time
  std::string batch_size = "1000";
  bool dry_run = false;
};

}  // namespace raceway::server::postgres
