// The page as server/web/bundle has made it: part of the program.
#pragma once

#include <array>
#include <string_view>

namespace raceway::server::web {

struct File {
  std::string_view name;
  std::string_view content_type;
  std::string_view gzip;
};

struct Bundle {
  std::string_view page;        ///< HTML, with {{base}} where the prefix of a proxy belongs; empty: built without
  std::string_view hash;        ///< of the files; part of their paths, which the page names
  std::array<File, 4> files{};  ///< what the page loads
};

Bundle bundle();

}  // namespace raceway::server::web
