// What `raceway status` was asked to do.
#pragma once

#include <chrono>
#include <string>

namespace raceway::server::status {

struct Options {
  std::string url;      ///< empty: the server that listens as configured
  std::string api_key;  ///< a secret
  bool json = false;
  std::chrono::seconds watch{0};  ///< 0: once
};

}  // namespace raceway::server::status
