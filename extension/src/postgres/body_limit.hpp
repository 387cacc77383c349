// How large a body may be.
#pragma once

#include <cstddef>
#include <string>

#include "postgres/boundary.hpp"

namespace raceway::postgres {

/// The default, which is that of the server's own limit (server.max_body_bytes), too.
inline constexpr int default_max_body_bytes = 64 << 20;

/// raceway.max_body_bytes, set by the administrator of the database.
extern int max_body_bytes;

inline std::size_t largest_body() {
  return static_cast<std::size_t>(max_body_bytes);
}

/// The error of a body that is larger; `detail` says which body it is.
SqlError body_too_large(std::size_t bytes, const std::string& detail);

}  // namespace raceway::postgres
