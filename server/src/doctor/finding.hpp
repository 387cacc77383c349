// What the doctor says: a finding for each thing looked at, and what mends it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace raceway::server::doctor {

enum class Severity { ok, warning, error };

/// Where the lines of a mend go.
enum class Place { sql, config, shell };

/// What to run or write so that a finding goes away, exactly as it is to be given.
struct Mend {
  Place place = Place::sql;
  std::string as;                  ///< of sql: who may run it: "superuser" or "owner"; else empty
  std::vector<std::string> lines;  ///< each complete in itself: a statement, a line of raceway.toml, a command
  std::string then;                ///< what has to follow, in words; empty: nothing
};

struct Finding {
  std::string check;  ///< its name, e.g. "shared_buffers"
  Severity severity = Severity::ok;
  std::string found;       ///< a sentence; holds no secret
  std::vector<Mend> mend;  ///< one after the other; of what is ok a hint, mostly none
};

using Findings = std::vector<Finding>;

/// One that all is well.
inline Finding fine(std::string_view check, std::string found) {
  return {std::string(check), Severity::ok, std::move(found), {}};
}

}  // namespace raceway::server::doctor
