#include "doctor/doctor.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "doctor/checks.hpp"
#include "doctor/report.hpp"

namespace raceway::server::doctor {
namespace {

constexpr std::chrono::seconds longest_connect{10};

std::string parameter(const std::string& connection_string, std::string_view keyword) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(connection_string.c_str(), nullptr), PQconninfoFree);
  for (auto* option = parsed.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (keyword == option->keyword && option->val != nullptr) return option->val;
  }
  return "";
}

/// What makes a connection possible, as far as the refusal tells.
std::vector<Mend> mend_of_refusal(const std::string& message, const std::string& connection_string) {
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  const auto role = parameter(connection_string, "user");
  const auto database = parameter(connection_string, "dbname");
  const auto host = parameter(connection_string, "host");
  const auto port = parameter(connection_string, "port");
  if (says("role \"") && says("does not exist")) {
    return {{Place::sql, "superuser", {"CREATE ROLE " + sql_name(role) + " LOGIN;"}, ""}};
  }
  if (says("database \"") && says("does not exist")) {
    return {{Place::sql,
             "superuser",
             {"CREATE DATABASE " + sql_name(database) + " OWNER " + sql_name(role) +
              " ENCODING 'UTF8' TEMPLATE template0;"},
             ""}};
  }
  if (says("is not permitted to log in"))
    return {{Place::sql, "superuser", {"ALTER ROLE " + sql_name(role) + " LOGIN;"}, ""}};
  if (says("password")) {
    return {{Place::config,
             "",
             {"[storage.postgres]", R"(connection_string = "postgresql://ROLE:PASSWORD@HOST/DATABASE")"},
             "with the right password, or set RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING"}};
  }
  std::string ask = "pg_isready";
  if (!host.empty()) ask += " -h " + host;
  if (!port.empty()) ask += " -p " + port;
  return {{Place::shell, "", {ask}, "start PostgreSQL, or correct [storage.postgres] connection_string"}};
}

void look(std::span<const DatabaseCheck> checks, Examination& patient, Findings& findings) {
  for (const auto& check : checks) {
    if (check.needs_tables && !patient.has_tables) continue;
    try {
      check.look(patient, findings);
    } catch (const storage::DatabaseError& error) {
      findings.push_back(
          {std::string(check.name), Severity::warning, std::string("could not be looked at: ") + error.what(), {}});
    }
  }
}

void look(std::span<const ServerCheck> checks, const config::Config& config, Findings& findings) {
  for (const auto& check : checks) check.look(config, findings);
}

void examine_database(const config::Config& config, const Options& options, Findings& findings) {
  const auto& postgres = config.storage.postgres;
  try {
    storage::PgConnection connection(postgres.connection_string,
                                     std::min(postgres.connection_timeout, longest_connect));
    Examination patient(std::move(connection), config, options.memory);
    findings.push_back(
        {"connection", Severity::ok, patient.same_machine ? "to this machine" : "to another machine", {}});
    for (const auto checks : {code_checks(), setting_checks(), limit_checks(), table_checks(), retention_checks()}) {
      look(checks, patient, findings);
    }
  } catch (const storage::DatabaseError& error) {
    findings.push_back(
        {"connection", Severity::error, error.what(), mend_of_refusal(error.what(), postgres.connection_string)});
  }
}

}  // namespace

Findings examine(const config::Sources& sources, const Options& options) {
  Findings findings;
  config::LoadedConfig loaded;
  try {
    loaded = config::load(sources);
  } catch (const config::ConfigError& error) {
    for (const auto& problem : error.problems()) {
      findings.push_back({"configuration",
                          Severity::error,
                          problem,
                          {{Place::shell, "", {"raceway config --check"}, "after correcting it"}}});
    }
    return findings;
  }
  const auto& config = loaded.config;
  findings.push_back(
      {"configuration", Severity::ok, loaded.file.empty() ? "no file, the defaults" : loaded.file.string(), {}});
  if (config.storage.backend == config::Backend::memory) {
    look(memory_checks(), config, findings);
  } else {
    examine_database(config, options, findings);
  }
  look(server_checks(), config, findings);
  return findings;
}

int run(const config::Sources& sources, const Options& options) {
  const auto findings = examine(sources, options);
  if (options.json) {
    print_json(std::cout, findings);
  } else {
    print_text(std::cout, findings, terminal::style_of(STDOUT_FILENO));
  }
  return static_cast<int>(worst(findings));
}

}  // namespace raceway::server::doctor
