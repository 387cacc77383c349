#include "races/races.hpp"

#include <iostream>

#include "races/reading.hpp"
#include "races/report.hpp"
#include "races/search.hpp"
#include "races/suppressions.hpp"
#include "terminal/for_terminal.hpp"

namespace raceway::server::races {
namespace {

std::string report(const Search& found, const Suppressions& suppressions, const RacesOptions& options) {
  switch (options.format) {
    case ReportFormat::text:
      return terminal::for_terminal(report_text(found, suppressions, options.most_places));
    case ReportFormat::json:
      return terminal::json_for_terminal(report_json(found, suppressions));
    case ReportFormat::sarif:
      return terminal::json_for_terminal(report_sarif(found));
    case ReportFormat::junit:
      return terminal::for_terminal(report_junit(found, options.warnings_fail));
  }
  return {};
}

}  // namespace

int find(const RacesOptions& options, const config::Config& config) {
  Suppressions suppressions(options.suppressions);
  const ReadEvents read = read_events(options.reading, config);
  const Search found = search(*read.storage, options, suppressions);
  std::cout << report(found, suppressions, options);
  if (found.critical + (options.warnings_fail ? found.warnings : 0) > 0) return 1;
  return read.has_problems ? 2 : 0;
}

}  // namespace raceway::server::races
