// Short questions to a running server, answered soon or not at all.
#pragma once

#include <stdexcept>
#include <string>

#include "config/config.hpp"

namespace raceway::server::status {

/// No answer, or none of a Raceway server. what() says what to do and holds no secret.
class NoAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Where {
  std::string origin;  ///< scheme://host:port
  std::string base_path;
  std::string api_key;  ///< a secret; empty: none
};

/// The server that listens as configured.
Where own_origin(const config::Config& config);

/// From what the user gave; empty stands for the configured one, which gets the configured key where none was given.
/// Throws config::UsageError.
Where find_server(const std::string& url, const std::string& api_key, const config::Config& config);

/// The member `data` of a 200's envelope, as JSON text. Throws NoAnswer.
std::string ask(const Where& server, const std::string& path);

/// The body of GET /metrics; empty where the server has none.
std::string metrics_text(const Where& server);

/// Whether a Raceway answers there within a few seconds.
bool is_raceway(const Where& server);

}  // namespace raceway::server::status
