// What `--from` and `--to` name.
#pragma once

#include <string>

#include "config/config.hpp"

namespace raceway::server::config {

struct Endpoint {
  bool is_server = true;
  std::string origin;     ///< of a server: scheme://host:port
  std::string base_path;  ///< of a server: what stands before its routes; "" or "/raceway"
  std::string api_key;    ///< of a server; a secret; empty: none
  Postgres postgres;
  std::string shown;  ///< for people; holds no secret
};

/// `given` is a URL, a connection string, or empty: then the configured database, or with the memory backend the server
/// that listens as configured. Keys of the configuration go to that server only. Throws UsageError.
Endpoint find_endpoint(const std::string& given, const std::string& api_key, const Config& config);

}  // namespace raceway::server::config
