// What keeps PostgreSQL from tidying up: old transactions, forgotten slots, numbers that run out.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "doctor/checks.hpp"
#include "doctor/rows.hpp"

namespace raceway::server::doctor {
namespace {

/// Both kinds of numbers are 32 bits wide, and half of them may be in use.
constexpr std::int64_t all_numbers = 2'147'483'647;

void open_transactions(Examination& patient, Findings& findings) {
  // Of a session of another role its beginning is hidden, so that it does not count as old.
  const auto hidden = patient.ask_number(
      "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database() "
      "AND query = '<insufficient privilege>' AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)");
  std::string otherwise = "none older than an hour";
  if (hidden > 0) {
    otherwise += fmt::format(", but for {} of other roles, whose age is hidden from {}: GRANT pg_read_all_stats TO {};",
                             hidden, patient.role, sql_name(patient.role));
  }
  each_row(patient, findings, "open transactions", Severity::warning,
           "SELECT pg_catalog.format('session %s of %s (%s, %s) has one for %s: no row that was deleted since is "
           "removed', a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'unnamed'), a.state, "
           "pg_catalog.date_trunc('second', pg_catalog.now() - a.xact_start))::text, "
           "pg_catalog.format('SELECT pg_terminate_backend(%s);', a.pid)::text FROM pg_catalog.pg_stat_activity a "
           "WHERE a.datname = current_database() AND a.pid <> pg_catalog.pg_backend_pid() "
           "AND a.backend_type = 'client backend' AND (a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL) "
           "AND a.xact_start < pg_catalog.now() - interval '1 hour' ORDER BY a.xact_start",
           otherwise, {"superuser", "or end it where it was begun"});
}

void prepared_transactions(Examination& patient, Findings& findings) {
  // Whoever prepares commits within seconds, or was killed in between.
  each_row(
      patient, findings, "prepared transactions", Severity::warning,
      "SELECT pg_catalog.format('%s of %s waits for %s: it keeps its locks, and no row that was deleted since is "
      "removed', pg_catalog.quote_literal(p.gid), p.owner, pg_catalog.date_trunc('second', pg_catalog.now() - "
      "p.prepared))::text, pg_catalog.format('ROLLBACK PREPARED %L;', p.gid)::text FROM pg_catalog.pg_prepared_xacts p "
      "WHERE p.database = current_database() AND p.prepared < pg_catalog.now() - interval '10 minutes' "
      "ORDER BY p.prepared",
      "none older than ten minutes", {"superuser", "or COMMIT PREPARED, as its coordinator has decided"});
}

/// A slot that nobody reads: how bad it is, and why; nothing where it may stand.
std::optional<Finding> judge_slot(const std::string& name, const std::string& status, std::uint64_t held,
                                  bool unlimited) {
  constexpr std::uint64_t noteworthy = 64ULL << 20U;  // a reader that restarts is back before
  std::string found = "nobody reads " + name + ": ";
  auto severity = Severity::warning;
  if (status == "lost") {
    found += "the log that it needs is gone, and who read it must be set up anew";
  } else if (unlimited && held > noteworthy) {
    found += "it holds back " + shown_bytes(held) + " of the log, and max_slot_wal_keep_size is -1: the disk fills up";
    if (status == "extended") severity = Severity::error;  // beyond max_wal_size
  } else if (status == "unreserved" || status == "extended") {
    found += "it holds back " + shown_bytes(held) + " of the log, and soon loses what max_slot_wal_keep_size lets go";
  } else {
    return std::nullopt;
  }
  return Finding{"replication slots", severity, std::move(found), {}};
}

void replication_slots(Examination& patient, Findings& findings) {
  const auto rows = patient.rows(
      "SELECT s.slot_name::text, coalesce(s.wal_status, '')::text, greatest(0, coalesce(pg_catalog.pg_wal_lsn_diff("
      "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
      "ELSE pg_catalog.pg_current_wal_lsn() END, s.restart_lsn), 0))::bigint, "
      "pg_catalog.format('SELECT pg_drop_replication_slot(%L);', s.slot_name)::text "
      "FROM pg_catalog.pg_replication_slots s WHERE NOT s.active AND NOT s.temporary ORDER BY 3 DESC, 1");
  const bool unlimited = patient.text_of("max_slot_wal_keep_size") == "-1";
  const auto before = findings.size();
  for (int row = 0; row < rows.rows(); ++row) {
    auto finding = judge_slot(std::string(rows.text(row, 0)), std::string(rows.text(row, 1)),
                              static_cast<std::uint64_t>(rows.int64(row, 2)), unlimited);
    if (!finding) continue;
    finding->mend.push_back(
        {Place::sql, "superuser", {std::string(rows.text(row, 3))}, "or start again what reads it"});
    if (unlimited) {
      const std::uint64_t bound = std::max<std::uint64_t>(patient.bytes_of("max_wal_size") * 2, 10ULL << 30U);
      finding->mend.push_back(patient.mend_setting("max_slot_wal_keep_size", postgres_bytes(bound)));
    }
    findings.push_back(std::move(*finding));
  }
  if (findings.size() == before) {
    findings.push_back(fine("replication slots", rows.rows() == 0 ? "each is read" : "each is read, or holds little"));
  }
}

/// The ages of what a row of pg_database or pg_class says, and from where on autovacuum comes by itself.
struct Ages {
  std::int64_t transactions;
  std::int64_t multixacts;
};

Severity judge(const Examination& patient, const Ages& ages) {
  return std::max(judge_age(ages.transactions, patient.number_of("autovacuum_freeze_max_age")),
                  judge_age(ages.multixacts, patient.number_of("autovacuum_multixact_freeze_max_age")));
}

std::string shown(const Ages& ages) {
  return fmt::format("{} transactions and {} multixacts", ages.transactions, ages.multixacts);
}

/// The database that nobody may connect to (template0) has to be opened for it.
std::vector<std::string> freeze(const std::string& database, bool open) {
  const std::string vacuum = "vacuumdb --freeze --dbname=" + in_shell(database);
  if (open) return {vacuum};
  const auto allow = [&](const char* whether) {
    return "psql --dbname=postgres --command=" +
           in_shell("ALTER DATABASE " + sql_name(database) + " ALLOW_CONNECTIONS " + whether);
  };
  return {allow("true"), vacuum, allow("false")};
}

/// One database that runs out stops the writes of all.
void wraparound(Examination& patient, Findings& findings) {
  const auto rows = patient.rows(
      "SELECT d.datname::text, pg_catalog.age(d.datfrozenxid)::bigint, pg_catalog.mxid_age(d.datminmxid)::bigint, "
      "d.datallowconn::int::bigint FROM pg_catalog.pg_database d "
      "ORDER BY greatest(pg_catalog.age(d.datfrozenxid), pg_catalog.mxid_age(d.datminmxid)) DESC, 1");
  Finding finding{"wraparound", Severity::ok, "", {}};
  Mend mend{Place::shell, "", {}, "as user postgres; first end the old transactions above, if there are any"};
  for (int row = 0; row < rows.rows(); ++row) {
    const std::string database(rows.text(row, 0));
    const Ages ages{rows.int64(row, 1), rows.int64(row, 2)};
    const auto severity = judge(patient, ages);
    if (row == 0) finding.found = "the oldest rows of " + database + " are " + shown(ages) + " old";
    if (severity == Severity::ok) continue;
    finding.severity = std::max(finding.severity, severity);
    std::ranges::move(freeze(database, rows.int64(row, 3) != 0), std::back_inserter(mend.lines));
  }
  if (finding.severity != Severity::ok) {
    finding.found +=
        fmt::format(": autovacuum does not keep up, and near {} nothing can be written any more", all_numbers);
    finding.mend = {std::move(mend)};
  }
  findings.push_back(std::move(finding));
}

void table_wraparound(Examination& patient, Findings& findings) {
  const auto rows = patient.rows(
      "SELECT h.oid::regclass::text, greatest(pg_catalog.age(c.relfrozenxid), pg_catalog.age(t.relfrozenxid))::bigint, "
      "greatest(pg_catalog.mxid_age(c.relminmxid), pg_catalog.mxid_age(t.relminmxid))::bigint FROM " +
      std::string(heaps) +
      " h JOIN pg_catalog.pg_class c ON c.oid = h.oid LEFT JOIN pg_catalog.pg_class t ON t.oid = h.reltoastrelid "
      "ORDER BY greatest(pg_catalog.age(c.relfrozenxid), pg_catalog.age(t.relfrozenxid)) DESC, 1");
  const auto before = findings.size();
  Ages oldest{0, 0};
  for (int row = 0; row < rows.rows(); ++row) {
    const Ages ages{rows.int64(row, 1), rows.int64(row, 2)};
    oldest = {std::max(oldest.transactions, ages.transactions), std::max(oldest.multixacts, ages.multixacts)};
    const auto severity = judge(patient, ages);
    if (severity == Severity::ok) continue;
    const std::string table(rows.text(row, 0));
    findings.push_back({"wraparound of the tables",
                        severity,
                        "the oldest rows of " + table + " are " + shown(ages) + " old: autovacuum does not keep up",
                        {{Place::sql, "owner", {"VACUUM (FREEZE) " + table + ";"}, ""}}});
  }
  if (findings.size() == before) {
    findings.push_back(fine("wraparound of the tables", "their oldest rows are " + shown(oldest) + " old"));
  }
}

constexpr std::array<DatabaseCheck, 5> checks = {{
    {"open transactions", open_transactions, false},
    {"prepared transactions", prepared_transactions, false},
    {"replication slots", replication_slots, false},
    {"wraparound", wraparound, false},
    {"wraparound of the tables", table_wraparound, true},
}};

}  // namespace

Severity judge_age(std::int64_t age, std::int64_t autovacuum_from) {
  constexpr std::int64_t critical = 1'600'000'000;  // from there on a vacuum skips all but freezing
  constexpr std::int64_t late = 1'200'000'000;      // whatever autovacuum is set to
  if (age >= critical) return Severity::error;
  return age > std::min(autovacuum_from + autovacuum_from / 2, late) ? Severity::warning : Severity::ok;
}

std::span<const DatabaseCheck> upkeep_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
