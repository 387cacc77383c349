// What `raceway races` and `raceway explain` were asked to do.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace raceway::server::races {

enum class ReportFormat { text, json, sarif, junit };

/// Where events come from.
struct Reading {
  std::string where;    ///< a file, "-" for stdin, a URL, a connection string, or empty: the configuration's
  std::string api_key;  ///< a secret; empty: none given
  std::string parser;   ///< of a ShiViz log: its regular expression; empty: on its first line
  std::vector<std::string> traces;  ///< these; empty: all
};

struct RacesOptions {
  Reading reading;
  std::string variable;       ///< empty: all
  bool warnings_fail = true;  ///< else only critical races do
  std::string suppressions;   ///< a file; empty: none
  ReportFormat format = ReportFormat::text;
  std::size_t most_places = 20;  ///< pairs of places that a text tells of
};

struct ExplainOptions {
  Reading reading;  ///< of one trace
  std::string a;
  std::string b;
};

}  // namespace raceway::server::races
