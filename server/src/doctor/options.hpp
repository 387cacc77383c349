// What `raceway doctor` was asked to do.
#pragma once

#include <cstdint>
#include <optional>

namespace raceway::server::doctor {

struct Options {
  bool json = false;
  std::optional<std::uint64_t> memory;  ///< bytes, of PostgreSQL's machine
};

}  // namespace raceway::server::doctor
