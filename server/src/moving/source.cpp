#include "moving/source.hpp"

#include "moving/source_http.hpp"
#include "moving/source_postgres.hpp"

namespace raceway::server::moving {

std::unique_ptr<Source> open_source(const config::Endpoint& endpoint) {
  if (endpoint.is_server) return std::make_unique<HttpSource>(endpoint);
  return std::make_unique<PostgresSource>(endpoint.postgres);
}

}  // namespace raceway::server::moving
