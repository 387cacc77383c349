// The findings, for people and for programs.
#pragma once

#include <iosfwd>

#include "doctor/finding.hpp"
#include "terminal/terminal.hpp"

namespace raceway::server::doctor {

/// The worst of them; ok where there is none.
Severity worst(const Findings& findings);

/// One by one, each with its mend, and how many there are of each severity. Lines of mends are never broken.
void print_text(std::ostream& out, const Findings& findings, const terminal::Style& style);

/// {"version", "worst", "findings": [{"check", "severity", "found", "mend": [{"place", "as", "lines", "then"}]}]}
void print_json(std::ostream& out, const Findings& findings);

}  // namespace raceway::server::doctor
