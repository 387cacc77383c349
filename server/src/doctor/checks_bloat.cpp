// Room in the tables' files that no row takes.
#include <fmt/format.h>

#include <array>

#include "doctor/checks.hpp"
#include "doctor/rows.hpp"

namespace raceway::server::doctor {
namespace {

/// Less than that is not worth a word.
constexpr std::uint64_t least_waste = 32ULL << 20U;

/// Of each table its name, its bytes, and those that no row takes, by its rows and their mean widths as ANALYZE left
/// them; a page has 8168 bytes for rows, and each row a head of 28 and a data part in steps of 8.
std::string estimated() {
  return "SELECT h.oid::regclass::text AS name, (h.relpages * 8192.0)::bigint AS bytes, greatest(0, h.relpages * "
         "8192.0 "
         "- pg_catalog.ceil(h.reltuples * (28 + pg_catalog.ceil(w.width / 8) * 8) / 8168) * 8192)::bigint AS waste "
         "FROM " +
         std::string(heaps) +
         " h JOIN pg_catalog.pg_class c ON c.oid = h.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
         "CROSS JOIN LATERAL (SELECT sum((1 - s.null_frac) * s.avg_width) AS width FROM pg_catalog.pg_stats s "
         "WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited) w "
         "WHERE h.reltuples >= 0 AND w.width IS NOT NULL";
}

/// The same as pgstattuple finds it, which looks only at pages that VACUUM has not been to since they changed. Of small
/// tables nothing.
std::string measured(const std::string& schema) {
  return "SELECT h.oid::regclass::text AS name, m.table_len AS bytes, (m.dead_tuple_len + m.approx_free_space)::bigint "
         "AS waste FROM " +
         std::string(heaps) + " h CROSS JOIN LATERAL " + schema +
         ".pgstattuple_approx(h.oid) m WHERE pg_catalog.pg_relation_size(h.oid) > " + std::to_string(least_waste);
}

/// The schema of pgstattuple, where we may use it.
std::optional<std::string> schema_of_pgstattuple(Examination& patient) {
  return patient.ask(
      "SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n "
      "ON n.oid = e.extnamespace JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid AND p.proname = "
      "'pgstattuple_approx' WHERE e.extname = 'pgstattuple' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') "
      "AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')");
}

void bloat(Examination& patient, Findings& findings) {
  const auto schema = schema_of_pgstattuple(patient);
  const std::string way = schema ? "measured by pgstattuple" : "estimated by the statistics";
  const auto rows = patient.rows("SELECT q.name, q.bytes, q.waste FROM (" + (schema ? measured(*schema) : estimated()) +
                                 ") q WHERE q.waste > " + std::to_string(least_waste) +
                                 " AND q.waste > q.bytes / 2 ORDER BY q.waste DESC, 1");
  for (int row = 0; row < rows.rows(); ++row) {
    const std::string table(rows.text(row, 0));
    findings.push_back({"bloat",
                        Severity::warning,
                        fmt::format("{} of the {} of {} hold no row ({}); new rows go there, scans read it all",
                                    shown_bytes(static_cast<std::uint64_t>(rows.int64(row, 2))),
                                    shown_bytes(static_cast<std::uint64_t>(rows.int64(row, 1))), table, way),
                        {{Place::sql,
                          "owner",
                          {"VACUUM (FULL, ANALYZE) " + table + ";"},
                          "nobody may use the table meanwhile; pg_repack does it beside its users"}}});
  }
  if (rows.rows() == 0) findings.push_back(fine("bloat", "little, " + way));
}

constexpr std::array<DatabaseCheck, 1> checks = {{{"bloat", bloat, true}}};

}  // namespace

std::span<const DatabaseCheck> bloat_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
