#include "doctor/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "doctor/checks.hpp"
#include "doctor/connecting.hpp"
#include "doctor/report.hpp"

namespace raceway::server::doctor {
namespace {

constexpr std::chrono::seconds longest_connect{10};

void look(std::span<const DatabaseCheck> checks, Examination& patient, Findings& findings) {
  for (const auto& check : checks) {
    if (check.needs_tables && !patient.has_tables) continue;
    try {
      check.look(patient, findings);
    } catch (const postgres::DatabaseError& error) {
      // On a managed PostgreSQL nobody may give the privilege, so that its lack is no fault.
      constexpr const char* insufficient_privilege = "42501";
      const bool forbidden = error.sqlstate() == insufficient_privilege;
      findings.push_back(
          {std::string(check.name),
           forbidden ? Severity::ok : Severity::warning,
           (forbidden ? patient.role + " may not look at it: " : "could not be looked at: ") + error.what(),
           {}});
    }
  }
}

void look(std::span<const ServerCheck> checks, const config::Config& config, Findings& findings) {
  for (const auto& check : checks) check.look(config, findings);
}

void examine_database(const config::Config& config, const Options& options, Findings& findings) {
  const auto& postgres = config.storage.postgres;
  try {
    postgres::PgConnection connection(postgres.connection_string,
                                      std::min(postgres.connection_timeout, longest_connect));
    Examination patient(std::move(connection), config, options.memory);
    findings.push_back(
        {"connection", Severity::ok, patient.same_machine ? "to this machine" : "to another machine", {}});
    for (const auto checks : {transport_checks(), code_checks(), setting_checks(), limit_checks(), table_checks(),
                              bloat_checks(), upkeep_checks(), retention_checks()}) {
      look(checks, patient, findings);
    }
  } catch (const postgres::DatabaseError& error) {
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
