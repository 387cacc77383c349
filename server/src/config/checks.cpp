#include "config/checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/connection_string.hpp"
#include "config/keys.hpp"
#include "config/network.hpp"

namespace raceway::server::config {
namespace {

void check_keys(const LoadedConfig& loaded, std::vector<Finding>& findings) {
  const Server& server = loaded.config.server;
  if (server.auth_enabled && server.api_keys.empty()) {
    findings.push_back({{"server.auth_enabled", "server.api_keys"},
                        place(loaded, "server.auth_enabled") +
                            ": needs at least one key in server.api_keys or RACEWAY_SERVER_API_KEYS"});
  }
  // A header could never carry another character, so such a key would lock its owner out.
  const auto sendable = [](const std::string& key) {
    return std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
  };
  if (!std::all_of(server.api_keys.begin(), server.api_keys.end(), sendable)) {
    findings.push_back(
        {{"server.api_keys"},
         place(loaded, "server.api_keys") + ": a key may hold letters, digits and signs of ASCII only, no blanks"});
  }
}

bool is_origin(std::string_view text) {
  if (text == "*" || text == "null") return true;
  if (text.ends_with(":*")) text.remove_suffix(2);
  const std::size_t scheme = text.find("://");
  return scheme != std::string_view::npos && scheme > 0 && scheme + 3 < text.size() &&
         text.find_first_of("/?#* \t", scheme + 3) == std::string_view::npos;
}

void check_addresses(const LoadedConfig& loaded, std::vector<Finding>& findings) {
  const Server& server = loaded.config.server;
  const auto unprintable = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; };
  if (server.host.empty() || std::any_of(server.host.begin(), server.host.end(), unprintable)) {
    findings.push_back(
        {{"server.host"}, place(loaded, "server.host") + ": must be an address or a name, such as 127.0.0.1"});
  }
  for (const std::string& origin : server.cors_origins) {
    if (is_origin(origin)) continue;
    findings.push_back({{"server.cors_origins"},
                        fmt::format("{}: {} is not an origin; write scheme://host[:port] without a path, or \"*\"",
                                    place(loaded, "server.cors_origins"), in_quotes(origin))});
  }
  for (const std::string& name : server.allowed_hosts) {
    if (name.find_first_of(":/*@ \t") == std::string::npos) continue;
    findings.push_back({{"server.allowed_hosts"},
                        fmt::format("{}: {} is not a name; write it without scheme, port and path",
                                    place(loaded, "server.allowed_hosts"), in_quotes(name))});
  }
}

/// It stands in the page, between quotes.
void check_base_path(const LoadedConfig& loaded, std::vector<Finding>& findings) {
  const std::string& base = loaded.config.server.base_path;
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/-._~").find(c) != std::string_view::npos;
  };
  if (base.empty() || (base.starts_with('/') && !base.starts_with("//") && !base.ends_with('/') &&
                       std::all_of(base.begin(), base.end(), is_plain)))
    return;
  findings.push_back({{"server.base_path"},
                      fmt::format("{}: {} is no prefix of paths; write it as \"/raceway\", of letters, digits and -._~",
                                  place(loaded, "server.base_path"), in_quotes(base))});
}

bool is_count(std::string_view text) {
  return text.size() < 4 && text != "0" &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

void check_proxies(const LoadedConfig& loaded, std::vector<Finding>& findings) {
  const auto& proxies = loaded.config.server.trusted_proxies;
  if (proxies.size() == 1 && is_count(proxies.front())) return;
  for (const std::string& proxy : proxies) {
    if (parse_network(proxy)) continue;
    findings.push_back({{"server.trusted_proxies"},
                        fmt::format("{}: {} is neither an address, nor a network such as 10.0.0.0/8, nor alone the "
                                    "number of proxies",
                                    place(loaded, "server.trusted_proxies"), in_quotes(proxy))});
  }
}

/// `smaller` has to be at most `larger`.
void check_order(const LoadedConfig& loaded, std::string_view smaller, std::string_view larger,
                 std::vector<Finding>& findings) {
  const auto number = [&](std::string_view key) { return std::get<std::int64_t>(find_key(key)->get(loaded.config)); };
  if (number(smaller) <= number(larger)) return;
  const bool smaller_is_default = !loaded.origin.contains(smaller);
  const std::string_view blamed = smaller_is_default ? larger : smaller;
  const std::string_view other = smaller_is_default ? smaller : larger;
  const std::string_view relation = smaller_is_default ? "less" : "more";
  const std::string_view note = loaded.origin.contains(other) ? "" : " (the default)";
  findings.push_back({{smaller, larger},
                      fmt::format("{}: {} is {} than {} = {}{}", place(loaded, blamed), number(blamed), relation, other,
                                  number(other), note)});
}

void check_storage(const LoadedConfig& loaded, std::vector<Finding>& findings) {
  constexpr std::string_view key = "storage.postgres.connection_string";
  const std::string& connection = loaded.config.storage.postgres.connection_string;
  if (loaded.config.storage.backend != Backend::memory && connection.empty()) {
    findings.push_back(
        {{"storage.backend", key},
         fmt::format("{}: {} needs {} or {}", place(loaded, "storage.backend"),
                     to_toml(find_key("storage.backend")->get(loaded.config)), key, find_key(key)->variable())});
  }
  if (!connection.empty() && !is_connection_string(connection)) {
    findings.push_back({{key},
                        place(loaded, key) +
                            ": is no connection string of PostgreSQL; write "
                            "postgresql://user:password@host:5432/database with %40 for an @, %2F for a / and %3A "
                            "for a : in the password, or host=... dbname=... user=... password='...'"});
  }
}

void check_memory(const LoadedConfig& loaded, std::vector<Finding>& findings) {
  constexpr std::string_view key = "storage.memory.max_bytes";
  constexpr std::uint64_t least = 8'388'608;  // less is soon taken by what events share
  const std::uint64_t value = loaded.config.storage.memory.max_bytes;
  if (value != 0 && value < least) {
    findings.push_back({{key}, fmt::format("{}: must be 0 or at least {}, not {}", place(loaded, key), least, value)});
  }
}

bool only_this_machine(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

std::string place(const LoadedConfig& loaded, std::string_view key) {
  const auto origin = loaded.origin.find(key);
  if (origin == loaded.origin.end()) return std::string(key);
  const bool in_file = !loaded.file.empty() && origin->second.starts_with(loaded.file.string() + ":");
  return in_file ? fmt::format("{}: {}", origin->second, key) : origin->second;
}

std::vector<Finding> cross_check(const LoadedConfig& loaded) {
  std::vector<Finding> findings;
  check_addresses(loaded, findings);
  check_base_path(loaded, findings);
  check_proxies(loaded, findings);
  check_keys(loaded, findings);
  check_storage(loaded, findings);
  check_memory(loaded, findings);
  check_order(loaded, "storage.postgres.min_connections", "storage.postgres.max_connections", findings);
  check_order(loaded, "engine.batch_size", "engine.buffer_size", findings);
  return findings;
}

void apply_aliases(LoadedConfig& loaded) {
  Config& config = loaded.config;
  if (config.server.verbose && config.logging.level > LogLevel::debug) {
    config.logging.level = LogLevel::debug;
    loaded.origin["logging.level"] = fmt::format("server.verbose, {}", loaded.origin["server.verbose"]);
  }
  if (config.server.trust_forwarded_for && config.server.trusted_proxies.empty()) {
    config.server.trusted_proxies = {"1"};
    loaded.origin["server.trusted_proxies"] =
        fmt::format("server.trust_forwarded_for, {}", loaded.origin["server.trust_forwarded_for"]);
  }
  if (config.development.cors_allow_all) {
    config.server.cors_origins = {"*"};
    loaded.origin["server.cors_origins"] =
        fmt::format("development.cors_allow_all, {}", loaded.origin["development.cors_allow_all"]);
  }
}

std::vector<std::string> find_warnings(const LoadedConfig& loaded) {
  std::vector<std::string> warnings;
  const Config defaults;
  for (const Key& key : keys()) {
    if (key.effective || key.get(loaded.config) == key.get(defaults)) continue;
    warnings.push_back(place(loaded, key.path) + ": accepted for compatibility; has no effect");
  }
  const Server& server = loaded.config.server;
  if (!server.auth_enabled && !only_this_machine(server.host)) {
    warnings.push_back(fmt::format("{}: whoever reaches {} may read and write events; set server.auth_enabled",
                                   place(loaded, "server.host"), server.host));
  }
  return warnings;
}

}  // namespace raceway::server::config
