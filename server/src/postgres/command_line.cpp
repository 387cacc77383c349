#include "postgres/command_line.hpp"

#include <CLI/CLI.hpp>
#include <string>

namespace raceway::server::postgres {
namespace {

constexpr const char* migrate_footer =
    R"(May be run again and by several at once; what is there already stays. `serve` does the same at its start while
storage.postgres.auto_migrate is true.

The code is the extension, in C++, or the portable edition, in SQL and PL/pgSQL only. Where neither is there, it is the
extension with the backend "postgres" if the machine of the database has it, else the portable edition. --edition moves
from one to the other, at any time, and touches no row.

Environment: RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING, RACEWAY_STORAGE_BACKEND=postgres

Examples:
  raceway --config raceway.toml migrate
  raceway migrate --partition-by day
  raceway migrate --edition portable
  raceway migrate --print-portable | psql -1 postgresql://postgres@db.example.com/postgres)";

constexpr const char* cleanup_footer =
    R"(Calls the procedure raceway.cleanup() of the database: whole traces, the oldest first, in small commits. At least one
rule is needed. Several may run at once, and be interrupted. The memory backend keeps its own limits.

Environment: RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING, RACEWAY_STORAGE_BACKEND=postgres

Examples:
  raceway cleanup --older-than '30 days'
  raceway cleanup --max-traces 100000 --dry-run)";

}  // namespace

CLI::App* add_migrate(CLI::App& app, MigrateOptions& options) {
  CLI::App* const migrate = app.add_subcommand("migrate", "Create or upgrade the code and the tables in PostgreSQL");
  migrate->footer(migrate_footer)->fallthrough();
  migrate->add_option("--partition-by", options.partition_by, "Lay out new tables by time: none, day, week or month")
      ->type_name("INTERVAL");
  migrate->add_option("--edition", options.edition, "Move to this edition of the code: extension or portable")
      ->check(CLI::IsMember({"extension", "portable"}))
      ->type_name("EDITION");
  migrate->add_flag("--print-portable", options.print_portable,
                    "Only print the portable edition as SQL, to be applied by hand");
  return migrate;
}

CLI::App* add_cleanup(CLI::App& app, CleanupOptions& options) {
  CLI::App* const cleanup = app.add_subcommand("cleanup", "Remove old traces from PostgreSQL");
  cleanup->footer(cleanup_footer)->fallthrough();
  cleanup->add_option("--older-than", options.older_than, "Traces of this age: '30 days'")->type_name("INTERVAL");
  cleanup->add_option("--max-traces", options.max_traces, "All but the newest so many")->type_name("N");
  cleanup->add_option("--max-bytes", options.max_bytes, "All but the newest of this size")->type_name("BYTES");
  cleanup->add_option("--by", options.by, "What age is told by: created_at or end_time")->type_name("TIME");
  cleanup->add_option("--batch-size", options.batch_size, "About so many events a commit")
      ->type_name("N")
      ->capture_default_str();
  cleanup->add_flag("--dry-run", options.dry_run, "Only say what would go");
  return cleanup;
}

}  // namespace raceway::server::postgres
