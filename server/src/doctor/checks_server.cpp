// This machine and the server on it: its port, its files, who may come in.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <random>

#include "config/keys.hpp"
#include "doctor/checks.hpp"
#include "http/listen.hpp"
#include "status/ask.hpp"

namespace raceway::server::doctor {
namespace {

void port(const config::Config& config, Findings& findings) {
  const auto& server = config.server;
  const std::string where = server.host + ":" + std::to_string(server.port);
  try {
    http::listen_on(server.host, server.port);
    findings.push_back({"port", Severity::ok, where + " is free", {}});
    return;
  } catch (const std::runtime_error& error) {
    if (status::is_raceway(status::own_origin(config))) {
      findings.push_back({"port", Severity::ok, "Raceway runs on " + where, {}});
      return;
    }
    Finding finding{"port", Severity::error, error.what(), {}};
    try {
      const auto other = http::port_of(http::listen_on(server.host, 0));
      finding.mend.push_back({Place::config, "", {"[server]", fmt::format("port = {}", other)}, ""});
    } catch (const std::runtime_error&) {  // it is the address that cannot be had
      finding.mend.push_back(
          {Place::config, "", {"[server]", "host = \"127.0.0.1\""}, "or another address of this machine"});
    }
    findings.push_back(std::move(finding));
  }
}

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "::1" || host == "localhost";
}

std::string random_key() {
  std::random_device device;
  std::string key;
  constexpr int words = 4;
  for (int i = 0; i < words; ++i) key += fmt::format("{:08x}", device());
  return key;
}

void access(const config::Config& config, Findings& findings) {
  if (config.server.auth_enabled || is_loopback(config.server.host)) {
    findings.push_back({"access", Severity::ok, config.server.auth_enabled ? "by API key" : "this machine only", {}});
    return;
  }
  findings.push_back({"access",
                      Severity::warning,
                      "whoever reaches " + config.server.host + " may read and write events",
                      {{Place::config,
                        "",
                        {"[server]", "auth_enabled = true", "api_keys = [\"" + random_key() + "\"]"},
                        "restart raceway"}}});
}

void web_pages(const config::Config& config, Findings& findings) {
  const auto& server = config.server;
  const bool any = std::find(server.cors_origins.begin(), server.cors_origins.end(), "*") != server.cors_origins.end();
  if (server.auth_enabled || !server.cors_enabled || !any) {
    findings.push_back({"web pages", Severity::ok, any ? "of every origin" : "of named origins only", {}});
    return;
  }
  std::string origins;
  for (const auto& origin : config::Server().cors_origins) {
    origins += (origins.empty() ? "" : ", ") + config::in_quotes(origin);
  }
  findings.push_back({"web pages",
                      Severity::warning,
                      "any page that somebody on this network visits may read and write events",
                      {{Place::config, "", {"[server]", "cors_origins = [" + origins + "]"}, "restart raceway"}}});
}

void open_files(const config::Config& config, Findings& findings) {
  constexpr std::uint64_t others = http::files_beside_connections;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t needed = config.server.max_connections + config.storage.postgres.max_connections + others;
  if (limit.rlim_max >= needed) {
    findings.push_back({"open files",
                        Severity::ok,
                        limit.rlim_max == RLIM_INFINITY ? "no limit" : fmt::format("{} at most", limit.rlim_max),
                        {}});
    return;
  }
  const auto left = limit.rlim_max > others + config.storage.postgres.max_connections
                        ? limit.rlim_max - others - config.storage.postgres.max_connections
                        : 1;
  findings.push_back({"open files",
                      Severity::warning,
                      fmt::format("this process may have {}, and [server] max_connections is {}", limit.rlim_max,
                                  config.server.max_connections),
                      {{Place::config,
                        "",
                        {"[server]", fmt::format("max_connections = {}", left)},
                        "or raise the limit (LimitNOFILE)"}}});
}

constexpr std::array<ServerCheck, 4> checks = {
    {{"port", port}, {"access", access}, {"web pages", web_pages}, {"open files", open_files}}};

}  // namespace

std::span<const ServerCheck> server_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
