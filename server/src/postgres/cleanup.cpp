#include "postgres/cleanup.hpp"

#include "postgres/setup.hpp"

namespace raceway::server::postgres {

std::string cleanup(const config::Postgres& database, const CleanupOptions& options,
                    const std::function<void(const std::string&)>& tell) {
  auto connection = connect(database);
  connection.on_notice(tell);
  const auto result = connection.run(
      "CALL raceway.cleanup(older_than => $1::text::interval, max_traces => $2::text::bigint, "
      "max_bytes => $3::text::numeric::bigint, batch_size => $4::text::integer, dry_run => $5::text::boolean, "
      "by => $6::text)",
      {PgParameter::optional_text(options.older_than), PgParameter::optional_text(options.max_traces),
       PgParameter::optional_text(options.max_bytes), PgParameter::text(options.batch_size),
       PgParameter::text(options.dry_run ? "true" : "false"), PgParameter::optional_text(options.by)});
  const std::string verb = options.dry_run ? "would remove " : "removed ";
  if (result.rows() == 0 || result.is_null(0, 0)) return "nothing was done";
  return verb + std::to_string(result.int64(0, 0)) + " traces, " + std::to_string(result.int64(0, 1)) + " events";
}

}  // namespace raceway::server::postgres
