// Whether the way to the database is encrypted, and whether its other end is who it should be.
#include <array>

#include "doctor/checks.hpp"
#include "doctor/connecting.hpp"

namespace raceway::server::doctor {
namespace {

bool verifies(const Transport& way) {
  // An old custom of libpq: with a root certificate, `require` checks as verify-ca does.
  return way.sslmode.starts_with("verify-") || (way.sslmode == "require" && way.has_root_certificate);
}

std::vector<Mend> mend_of(Examination& patient, bool encrypted) {
  std::vector<Mend> mend;
  if (!encrypted && patient.text_of("ssl") == "off") {
    mend.push_back(patient.mend_setting("ssl", "on"));
    mend.back().then = "with its certificate and key in ssl_cert_file and ssl_key_file before";
  }
  std::map<std::string, std::string> changes = {{"sslmode", "verify-full"}};
  const auto& connection_string = patient.config().storage.postgres.connection_string;
  if (parameter(connection_string, "sslrootcert").empty()) changes["sslrootcert"] = "/etc/raceway/database-ca.pem";
  mend.push_back({Place::config, "", connection_lines(connection_string, changes),
                  "with the certificate of who signed the database's in that file; restart raceway"});
  return mend;
}

void transport(Examination& patient, Findings& findings) {
  const auto& connection = patient.connection();
  const Transport way{
      .local = connection.local(),
      .encrypted = connection.encrypted(),
      .sslmode = connection.option("sslmode"),
      .has_root_certificate = !connection.option("sslrootcert").empty(),
      .backend_encrypted = patient.ask_whether(
          "SELECT coalesce((SELECT s.ssl FROM pg_catalog.pg_stat_ssl s WHERE s.pid = pg_catalog.pg_backend_pid()), "
          "false)"),
      .backend_remote = patient.ask_whether(
          "SELECT coalesce(NOT (pg_catalog.inet_client_addr() <<= '127.0.0.0/8' OR pg_catalog.inet_client_addr() = "
          "'::1'), false)"),
  };
  auto finding = judge_transport(way);
  const bool ours = !way.local && (!way.encrypted || !verifies(way));  // else it is the pooler's
  if (finding.severity != Severity::ok && ours) finding.mend = mend_of(patient, way.encrypted);
  findings.push_back(std::move(finding));
}

constexpr std::array<DatabaseCheck, 1> checks = {{{"tls", transport, false}}};

}  // namespace

Finding judge_transport(const Transport& way) {
  if (!way.local && !way.encrypted) {
    return {"tls",
            Severity::warning,
            "none, and the database is on another machine: events go through the network for all to read",
            {}};
  }
  if (!way.local && !verifies(way)) {
    return {"tls",
            Severity::warning,
            "encrypted, but sslmode is " + way.sslmode + ": whoever stands in between may pass for the database",
            {}};
  }
  if (way.encrypted && way.backend_remote && !way.backend_encrypted) {
    return {"tls",
            Severity::warning,
            "as far as the pooler; from there PostgreSQL is reached over the network without",
            {{Place::shell,
              "",
              {"grep -n server_tls /etc/pgbouncer/pgbouncer.ini"},
              "give it server_tls_sslmode = verify-full and server_tls_ca_file, and reload it"}}};
  }
  if (way.local) return fine("tls", way.encrypted ? "on this machine, too" : "not needed on this machine");
  return fine("tls", way.sslmode == "verify-full" ? "the database's certificate and its name are checked"
                                                  : "the database's certificate is checked, the name in it is not");
}

std::span<const DatabaseCheck> transport_checks() {
  return checks;
}

}  // namespace raceway::server::doctor
