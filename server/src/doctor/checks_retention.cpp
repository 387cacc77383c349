// Whether anything removes old traces.
#include <array>

#include "doctor/checks.hpp"

namespace raceway::server::doctor {
namespace {

constexpr const char* schedule = "SELECT raceway.schedule_cleanup('0 3 * * *', older_than => '30 days');";

Finding warned(std::string found, std::vector<Mend> mend) {
  return {"retention", Severity::warning, std::move(found), std::move(mend)};
}

/// What pg_cron says of it; nothing where it has no such job.
std::optional<Finding> by_cron(Examination& patient) {
  const auto jobs = patient.rows(
      "SELECT jobid::text, schedule::text, active::int::bigint FROM cron.job WHERE command ILIKE '%raceway.cleanup(%' "
      "AND database = current_database() ORDER BY active DESC, jobid LIMIT 1");
  if (jobs.rows() == 0) return std::nullopt;
  const std::string id(jobs.text(0, 0));
  if (jobs.int64(0, 2) != 0) {
    return Finding{"retention", Severity::ok, "pg_cron runs cleanup at " + std::string(jobs.text(0, 1)), {}};
  }
  return warned("the schedule of cleanup is switched off",
                {{Place::sql, "superuser", {"SELECT cron.alter_job(" + id + ", active => true);"}, ""}});
}

void retention(Examination& patient, Findings& findings) {
  const bool cron =
      patient.ask_whether("SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron')");
  const bool may_use_cron = cron && patient.ask_whether(
                                        "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = 'cron' "
                                        "AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'))");
  if (may_use_cron) {
    if (auto found = by_cron(patient)) {
      findings.push_back(std::move(*found));
      return;
    }
  }
  // Whoever runs `raceway cleanup` by another timer is seen by its runs.
  const auto last = patient.ask(
      "SELECT max(started_at)::timestamp(0) FROM raceway.cleanup_runs WHERE outcome = 'done' "
      "AND started_at > (pg_catalog.now() AT TIME ZONE 'UTC') - interval '8 days'");
  if (last) {
    findings.push_back({"retention", Severity::ok, "cleanup ran last at " + *last, {}});
    return;
  }
  const std::string found = "nothing removes old traces: the tables grow until the disk is full";
  if (may_use_cron) {
    findings.push_back(warned(found, {{Place::sql, "owner", {schedule}, ""}}));
  } else if (cron) {
    findings.push_back(
        warned(found, {{Place::sql, "superuser", {"GRANT USAGE ON SCHEMA cron TO " + sql_name(patient.role) + ";"}, ""},
                       {Place::sql, "owner", {schedule}, ""}}));
  } else {
    findings.push_back(warned(
        found,
        {{Place::shell, "", {"raceway cleanup --older-than '30 days'"}, "every day, by a timer of yours or pg_cron"}}));
  }
}

constexpr std::array<DatabaseCheck, 1> checks = {{{"retention", retention, true}}};

}  // namespace

std::span<const DatabaseCheck> retention_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
