#include "doctor/rows.hpp"

namespace raceway::server::doctor {

const char* const heaps =
    "(SELECT c.oid, c.reltuples, c.relpages, c.reloptions, c.reltoastrelid FROM pg_catalog.pg_class c "
    "WHERE c.relkind = 'r' AND (c.oid IN ('raceway.traces'::regclass, 'raceway.events'::regclass) OR c.oid IN "
    "(SELECT relid FROM pg_catalog.pg_partition_tree('raceway.events'))))";

void each_row(Examination& patient, Findings& findings, std::string_view check, Severity severity,
              const std::string& sql, const std::string& otherwise, const RowMend& mend) {
  const auto rows = patient.rows(sql);
  for (int row = 0; row < rows.rows(); ++row) {
    findings.push_back({std::string(check),
                        severity,
                        std::string(rows.text(row, 0)),
                        {{Place::sql, mend.as, {std::string(rows.text(row, 1))}, mend.then}}});
  }
  if (rows.rows() == 0) findings.push_back(fine(check, otherwise));
}

}  // namespace raceway::server::doctor
