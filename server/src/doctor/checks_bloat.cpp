// Room in the files of tables and indexes that nothing takes.
#include <fmt/format.h>

#include <array>

#include "doctor/checks.hpp"
#include "doctor/rows.hpp"

namespace raceway::server::doctor {
namespace {

/// Less than that is not worth a word.
constexpr std::uint64_t least_waste = 32ULL << 20U;

/// Pages of a B-tree that split are half full, and where keys grow within ranges they stay so: that is no bloat.
constexpr auto* least_share_of_tables = "0.5";
constexpr auto* least_share_of_indexes = "0.7";

constexpr auto* by_statistics = "estimated by the statistics";

/// What follows makes rows of: the name, bytes, those of them that nothing takes, what gives them back, and its price.
constexpr auto* rewritten =
    "'VACUUM (FULL, ANALYZE) ' || h.oid::regclass::text || ';' AS mend, "
    "'nobody may use the table meanwhile; pg_repack does it beside its users' AS price";
constexpr auto* out_of_line = "'what ' || h.oid::regclass::text || ' stores out of line'";

/// By the pages that there are, and those that would do.
std::string estimated(const std::string& pages) {
  return "SELECT p.name, (p.pages * 8192.0)::bigint AS bytes, (greatest(0, p.pages - p.needed) * 8192)::bigint AS "
         "waste, p.mend, p.price FROM (" +
         pages + ") p";
}

/// Of tables by their rows and mean widths as ANALYZE left them; a page has 8168 bytes for rows, and each row a head of
/// 28 and a data part in steps of 8. Of what is stored out of line by its pieces, four of which fill a page.
std::string estimated_tables() {
  return estimated(
      "SELECT h.oid::regclass::text AS name, h.relpages AS pages, "
      "pg_catalog.ceil(h.reltuples * (28 + pg_catalog.ceil(w.width / 8) * 8) / 8168) AS needed, " +
      std::string(rewritten) + " FROM " + std::string(heaps) +
      " h JOIN pg_catalog.pg_class c ON c.oid = h.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "CROSS JOIN LATERAL (SELECT sum((1 - s.null_frac) * s.avg_width) AS width FROM pg_catalog.pg_stats s "
      "WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited) w "
      "WHERE h.reltuples >= 0 AND w.width IS NOT NULL UNION ALL SELECT " +
      std::string(out_of_line) + ", t.relpages, pg_catalog.ceil(t.reltuples / 4), " + std::string(rewritten) +
      " FROM " + std::string(heaps) +
      " h JOIN pg_catalog.pg_class t ON t.oid = h.reltoastrelid WHERE t.reltuples >= 0");
}

/// The same as pgstattuple finds it, which looks only at pages that VACUUM has not been to since they changed. Of small
/// tables nothing.
std::string measured_tables(const std::string& schema) {
  return "SELECT f.name, m.table_len AS bytes, (m.dead_tuple_len + m.approx_free_space)::bigint AS waste, " +
         std::string(rewritten) + " FROM " + std::string(heaps) +
         " h CROSS JOIN LATERAL (VALUES (h.oid, h.oid::regclass::text), (h.reltoastrelid, " + std::string(out_of_line) +
         ")) f (oid, name) CROSS JOIN LATERAL " + schema +
         ".pgstattuple_approx(f.oid) m WHERE pg_catalog.pg_relation_size(f.oid) > " + std::to_string(least_waste);
}

/// Of B-trees by the widths of their columns; a page has 8152 bytes for entries, and each entry 12 before its data.
/// Entries of equal keys take less, so that such an index seems fuller than it is.
std::string estimated_indexes() {
  return estimated(
      "SELECT x.oid::regclass::text AS name, x.relpages AS pages, "
      "pg_catalog.ceil(x.reltuples * (12 + pg_catalog.ceil(w.width / 8) * 8) / 8152) AS needed, "
      "'REINDEX INDEX CONCURRENTLY ' || x.oid::regclass::text || ';' AS mend, "
      "'beside its users, with room for a second one meanwhile' AS price FROM " +
      std::string(heaps) +
      " h JOIN pg_catalog.pg_class c ON c.oid = h.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "JOIN pg_catalog.pg_index i ON i.indrelid = h.oid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
      "JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree' "
      "CROSS JOIN LATERAL (SELECT sum((1 - s.null_frac) * s.avg_width) AS width, count(*) AS columns "
      "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname "
      "AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited "
      "WHERE a.attrelid = h.oid AND a.attnum = ANY (i.indkey)) w "
      "WHERE x.reltuples >= 0 AND w.columns = i.indnatts");
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
  const std::string way = schema ? "measured by pgstattuple" : by_statistics;
  const auto rows = patient.rows(
      "SELECT q.name, q.bytes, q.waste, q.mend, q.price, q.way FROM (SELECT t.*, '" + way + "' AS way, " +
      least_share_of_tables + " AS share FROM (" + (schema ? measured_tables(*schema) : estimated_tables()) +
      ") t UNION ALL SELECT i.*, '" + by_statistics + "', " + least_share_of_indexes + " FROM (" + estimated_indexes() +
      ") i) q WHERE q.waste > " + std::to_string(least_waste) +
      " AND q.waste > q.bytes * q.share ORDER BY q.waste DESC, 1");
  for (int row = 0; row < rows.rows(); ++row) {
    findings.push_back(
        {"bloat",
         Severity::warning,
         fmt::format("{} of the {} of {} hold nothing ({}); what is new goes there, scans read it all",
                     shown_bytes(static_cast<std::uint64_t>(rows.int64(row, 2))),
                     shown_bytes(static_cast<std::uint64_t>(rows.int64(row, 1))), rows.text(row, 0), rows.text(row, 5)),
         {{Place::sql, "owner", {std::string(rows.text(row, 3))}, std::string(rows.text(row, 4))}}});
  }
  if (rows.rows() == 0) findings.push_back(fine("bloat", "little, " + way));
}

constexpr std::array<DatabaseCheck, 1> checks = {{{"bloat", bloat, true}}};

}  // namespace

std::span<const DatabaseCheck> bloat_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
