#include "storage/connection_options.hpp"

namespace raceway::server::storage {

ConnectionOptions parse_connection_string(const std::string& connection_string) {
  return {PQconninfoParse(connection_string.c_str(), nullptr), PQconninfoFree};
}

std::string option_value(const ConnectionOptions& options, std::string_view keyword) {
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (keyword == option->keyword && option->val != nullptr) return option->val;
  }
  return "";
}

}  // namespace raceway::server::storage
