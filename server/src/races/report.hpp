// The outcome of a search, in the forms that people and programs want it in.
#pragma once

#include <string>

#include "races/search.hpp"
#include "races/suppressions.hpp"

namespace raceway::server::races {

/// For people, on one screen: each pair of places, who did what, why nothing orders them, what would. Tells of the
/// first `most_places`. What comes from events is not made safe for a terminal yet.
std::string report_text(const Search& search, const Suppressions& suppressions, std::size_t most_places);

/// Everything, for programs.
std::string report_json(const Search& search, const Suppressions& suppressions);

/// SARIF 2.1.0, for code review: a result for each pair of places, at the first of them.
std::string report_sarif(const Search& search);

/// For CI: a test case for each pair of places, which fails where its class is to fail; one that passes where there is
/// none.
std::string report_junit(const Search& search, bool warnings_fail);

/// What the place of a race was told as, apart: `bank.js:12` is a file and its line; line 0 where it says none.
struct FilePlace {
  std::string file;
  unsigned line = 0;
};
FilePlace file_place(const std::string& place);

}  // namespace raceway::server::races
