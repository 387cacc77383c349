#include "config/endpoint.hpp"

#include "config/connection_string.hpp"

namespace raceway::server::config {
namespace {

Endpoint server_at(const std::string& url, const std::string& api_key) {
  const auto host_at = url.find("://") + 3;
  auto path_at = url.find_first_of("/?#", host_at);
  if (path_at == std::string::npos) path_at = url.size();
  const std::string authority = url.substr(host_at, path_at - host_at);
  if (authority.empty()) throw UsageError("the URL names no host: " + url.substr(0, host_at));
  if (authority.find('@') != std::string::npos) {
    throw UsageError("a server's URL takes no name and password; give its key with --api-key");
  }
  Endpoint endpoint;
  endpoint.origin = url.substr(0, path_at);
  endpoint.base_path = url.substr(path_at);
  if (endpoint.base_path.find_first_of("?#") != std::string::npos) {
    throw UsageError("the URL of a server has no '?' and no '#': " + endpoint.origin);
  }
  while (endpoint.base_path.ends_with('/')) endpoint.base_path.pop_back();
  endpoint.api_key = api_key;
  endpoint.shown = endpoint.origin + endpoint.base_path;
  return endpoint;
}

Endpoint database_at(const std::string& connection_string, const Config& config) {
  if (!parse_connection_string(connection_string)) {
    throw UsageError("neither a http(s):// URL nor a connection string of PostgreSQL");
  }
  // A part of the password would stand for the host, and be shown as such.
  if (!is_connection_string(connection_string)) {
    throw UsageError(
        "the connection string does not say where its password ends: in a URI write '@' as %40, '/' as %2F, ':' as "
        "%3A, '?' as %3F, '#' as %23 and '%' as %25, or leave the password to PGPASSWORD or a .pgpass file");
  }
  Endpoint endpoint;
  endpoint.is_server = false;
  endpoint.postgres = config.storage.postgres;
  endpoint.postgres.connection_string = connection_string;
  endpoint.shown = redact_connection_string(connection_string);
  return endpoint;
}

Endpoint configured(const std::string& api_key, const Config& config) {
  if (config.storage.backend != Backend::memory) {
    return database_at(config.storage.postgres.connection_string, config);
  }
  std::string host = config.server.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  const bool has_key = config.server.auth_enabled && !config.server.api_keys.empty();
  const auto& key = api_key.empty() && has_key ? config.server.api_keys.front() : api_key;
  return server_at("http://" + host + ":" + std::to_string(config.server.port), key);
}

}  // namespace

Endpoint find_endpoint(const std::string& given, const std::string& api_key, const Config& config) {
  if (given.empty()) return configured(api_key, config);
  if (given.starts_with("http://") || given.starts_with("https://")) return server_at(given, api_key);
  return database_at(given, config);
}

}  // namespace raceway::server::config
