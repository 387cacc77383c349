// Checks that are one question to the catalogs, whose rows are what is found.
#pragma once

#include <string>
#include <string_view>

#include "doctor/examination.hpp"
#include "doctor/finding.hpp"

namespace raceway::server::doctor {

/// The tables whose files hold rows: traces, events or its partitions. SQL for a FROM; columns oid, reltuples,
/// relpages, reloptions, reltoastrelid.
extern const char* const heaps;

/// Of the statements that mend what the rows say.
struct RowMend {
  const char* as = "owner";
  const char* then = "";
};

/// A finding for each row of a query (what is found, the statement that mends it, both text); where there is none one
/// that all is well, which `otherwise` says. Throws postgres::DatabaseError.
void each_row(Examination& patient, Findings& findings, std::string_view check, Severity severity,
              const std::string& sql, const std::string& otherwise, const RowMend& mend = {});

}  // namespace raceway::server::doctor
