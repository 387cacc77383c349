// What is installed, in which version, and what our role may do with it.
#include <fmt/format.h>

#include <array>

#include "doctor/checks.hpp"

namespace raceway::server::doctor {
namespace {

constexpr std::int64_t oldest_postgresql = 140000;

Mend by_owner(std::vector<std::string> lines) {
  return {Place::sql, "owner", std::move(lines), {}};
}

void postgresql(Examination& patient, Findings& findings) {
  const std::string found = fmt::format("PostgreSQL {}, as {} in {}", patient.version, patient.role, patient.database);
  if (patient.version_number >= oldest_postgresql) {
    findings.push_back(fine("postgresql", found));
    return;
  }
  findings.push_back({"postgresql",
                      Severity::error,
                      found + ": 14 is the oldest that Raceway knows",
                      {{Place::shell,
                        "",
                        {"pg_upgradecluster " + patient.version.substr(0, patient.version.find('.')) + " main"},
                        ""}}});
}

/// The session that mends it must write, too.
Mend mend_read_only(const Examination& patient) {
  auto mend = patient.mend_setting("default_transaction_read_only", "off");
  mend.lines.insert(mend.lines.begin(), "SET default_transaction_read_only = off;");
  return mend;
}

void standby(Examination& patient, Findings& findings) {
  if (patient.standby) {
    findings.push_back({"primary",
                        Severity::error,
                        "this is a standby: it answers questions and takes no events",
                        {{Place::config,
                          "",
                          {"[storage.postgres]", "connection_string = \"postgresql://ROLE@ONE,OTHER/" +
                                                     patient.database + "?target_session_attrs=read-write\""},
                          "with both hosts; restart raceway"}}});
  } else if (patient.is_on("default_transaction_read_only")) {
    findings.push_back({"primary",
                        Severity::error,
                        "default_transaction_read_only is on: no event can be stored",
                        {mend_read_only(patient)}});
  } else {
    findings.push_back(fine("primary", "it takes events"));
  }
}

void encoding(Examination& patient, Findings& findings) {
  const auto encoding = patient.text_of("server_encoding");
  if (encoding == "UTF8") {
    findings.push_back(fine("encoding", encoding));
    return;
  }
  const std::string other = sql_name(patient.database + "_utf8");
  findings.push_back(
      {"encoding",
       Severity::error,
       encoding + ": events with characters beyond it are rejected",
       {{Place::sql,
         "superuser",
         {"CREATE DATABASE " + other + " OWNER " + sql_name(patient.role) + " ENCODING 'UTF8' TEMPLATE template0;"},
         "name " + other + " in connection_string, and move the events by raceway export and import"}}});
}

/// Whether PostgreSQL's machine has the extension's files. The view of extensions does not list those that stand in
/// another directory than the usual one.
bool is_available(Examination& patient) {
  try {
    patient.ask("SELECT target FROM pg_catalog.pg_extension_update_paths('raceway')");
    return true;
  } catch (const postgres::DatabaseError& error) {
    constexpr const char* no_file = "58P01";
    constexpr const char* not_supported = "0A000";  // from PostgreSQL 16 on
    if (error.sqlstate() == no_file || error.sqlstate() == not_supported) return false;
    throw;
  }
}

void edition_missing(Examination& patient, Findings& findings) {
  if (is_available(patient)) {
    findings.push_back({"edition",
                        Severity::error,
                        "none: Raceway is not in this database yet",
                        {by_owner({"CREATE EXTENSION raceway;", "SELECT raceway.migrate();"})}});
    return;
  }
  const auto major = std::to_string(patient.version_number / 10000);
  findings.push_back(
      {"edition",
       Severity::error,
       "none, and PostgreSQL's machine does not have the extension",
       {{Place::shell, "", {"apt-get install postgresql-" + major + "-raceway"}, "on PostgreSQL's machine"},
        {Place::shell, "", {"raceway migrate"}, ""}}});
}

void edition(Examination& patient, Findings& findings) {
  const auto version = patient.ask("SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'raceway'");
  const auto has = [&](const std::string& function) {
    return patient.ask_whether(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n "
        "ON n.oid = p.pronamespace WHERE n.nspname = 'raceway' AND p.proname = '" +
        function + "')");
  };
  if (!version && !has("ingest")) {
    edition_missing(patient, findings);
    return;
  }
  std::string edition = version ? "extension" : "portable";
  if (patient.may_use_schema && has("edition")) edition = patient.ask("SELECT raceway.edition()").value_or(edition);
  if (!version) {
    findings.push_back(fine("edition", edition));
    return;
  }
  const std::string found = edition + " " + *version;
  if (*version == RACEWAY_VERSION) {
    findings.push_back(fine("edition", found));
    return;
  }
  const bool may_be_updated = patient.ask_whether(
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension_update_paths('raceway') u WHERE u.path IS NOT "
      "NULL AND u.source = '" +
      *version + "' AND u.target = '" RACEWAY_VERSION "')");
  Finding finding{"edition", Severity::warning, found + ", and this is raceway " RACEWAY_VERSION, {}};
  if (may_be_updated) {
    finding.mend = {
        by_owner({"ALTER EXTENSION raceway UPDATE TO '" RACEWAY_VERSION "';", "SELECT raceway.migrate();"})};
  } else {
    finding.mend = {
        {Place::shell, "", {"apt-get install --only-upgrade 'postgresql-*-raceway' raceway"}, "on both machines"}};
  }
  findings.push_back(std::move(finding));
}

void schema_version(Examination& patient, Findings& findings) {
  if (!patient.may_use_schema) return;  // said elsewhere
  // migrate() holds the version that it brings as its constant.
  const auto latest = patient.ask_number(
      "SELECT pg_catalog.substring(p.prosrc, 'latest +constant integer := ([0-9]+)') FROM pg_catalog.pg_proc p "
      "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'raceway' AND p.proname = 'migrate'");
  if (latest == 0) return;
  const bool any = patient.has_tables && patient.ask("SELECT pg_catalog.to_regclass('raceway.schema_migrations')");
  const auto version = any ? patient.ask_number("SELECT max(version) FROM raceway.schema_migrations") : 0;
  if (version == latest) {
    findings.push_back(fine("schema", fmt::format("version {}", version)));
  } else if (version < latest) {
    findings.push_back({"schema",
                        Severity::error,
                        any ? fmt::format("the tables are at version {}, the code is at {}", version, latest)
                            : "there are no tables yet",
                        {by_owner({"SELECT raceway.migrate();"})}});
  } else {
    findings.push_back(
        {"schema",
         Severity::error,
         fmt::format("the tables are at version {}, a newer one than the code knows ({})", version, latest),
         {by_owner({"ALTER EXTENSION raceway UPDATE;"})}});
  }
}

void privileges(Examination& patient, Findings& findings) {
  const std::string role = sql_name(patient.role);
  if (!patient.may_use_schema) {
    if (!patient.ask_whether("SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'raceway')")) return;
    findings.push_back({"privileges",
                        Severity::error,
                        patient.role + " may not use the schema raceway",
                        {by_owner({"GRANT USAGE ON SCHEMA raceway TO " + role + ";"})}});
    return;
  }
  if (!patient.has_tables) return;
  const auto missing = patient.ask(
      "SELECT pg_catalog.string_agg(p || ' on ' || t, ', ' ORDER BY t, p) FROM pg_catalog.unnest(ARRAY['events', "
      "'traces']) t, "
      "pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p "
      "WHERE NOT pg_catalog.has_table_privilege('raceway.' || t, p)");
  if (!missing) {
    findings.push_back(fine("privileges", patient.role + " may read and write the tables"));
    return;
  }
  findings.push_back(
      {"privileges",
       Severity::error,
       patient.role + " lacks " + *missing,
       {by_owner({"GRANT SELECT, INSERT, UPDATE, DELETE ON raceway.traces, raceway.events TO " + role + ";"})}});
}

constexpr std::array<DatabaseCheck, 6> checks = {{
    {"postgresql", postgresql, false},
    {"primary", standby, false},
    {"encoding", encoding, false},
    {"edition", edition, false},
    {"schema", schema_version, false},
    {"privileges", privileges, false},
}};

}  // namespace

std::span<const DatabaseCheck> code_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
