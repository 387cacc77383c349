#include "postgres/body_limit.hpp"

namespace raceway::postgres {

int max_body_bytes = default_max_body_bytes;

SqlError body_too_large(std::size_t bytes, const std::string& detail) {
  return {ERRCODE_PROGRAM_LIMIT_EXCEEDED,
          "the body has " + std::to_string(bytes) + " bytes; raceway.max_body_bytes allows " +
              std::to_string(max_body_bytes),
          detail, "Send its events in several bodies, or let a superuser raise raceway.max_body_bytes."};
}

}  // namespace raceway::postgres
