#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "doctor/checks.hpp"
#include "doctor/connecting.hpp"
#include "doctor/report.hpp"
#include "terminal/terminal.hpp"

namespace raceway::server::doctor {
namespace {

constexpr std::uint64_t giga = 1ULL << 30U;

TEST(DoctorSizes, AreReadAsPostgresqlWritesThemAndWithoutAUnitAsBytes) {
  EXPECT_EQ(read_bytes("16GB"), 16 * giga);
  EXPECT_EQ(read_bytes("512 MB"), giga / 2);
  EXPECT_EQ(read_bytes("1024"), 1024U);
  EXPECT_EQ(read_bytes("2TB"), 2048 * giga);
  for (const auto* text : {"", "GB", "1.5GB", "-1", "16 Gb", "8 8kB", "99999999999TB"})
    EXPECT_FALSE(read_bytes(text)) << text;
}

TEST(DoctorSizes, AreShownWithAFewDigits) {
  EXPECT_EQ(shown_bytes(0), "0 B");
  EXPECT_EQ(shown_bytes(giga), "1 GB");
  EXPECT_EQ(shown_bytes(giga * 3 / 2), "1.5 GB");
  EXPECT_EQ(shown_bytes(64 * 1024), "64 kB");
  EXPECT_EQ(postgres_bytes(giga / 2 + 5), "512MB");
}

TEST(DoctorNames, AreQuotedWhereSqlWantsIt) {
  EXPECT_EQ(sql_name("raceway"), "raceway");
  EXPECT_EQ(sql_name("user"), "\"user\"");
  EXPECT_EQ(sql_name("Race way"), "\"Race way\"");
  EXPECT_EQ(sql_name("a\"; DROP"), "\"a\"\"; DROP\"");
  EXPECT_EQ(sql_name("1st"), "\"1st\"");
}

TEST(DoctorDisk, IsJudgedByWhatIsFreeNotByItsSizeAlone) {
  EXPECT_EQ(judge_disk("it", 100 * giga, 50 * giga).severity, Severity::ok);
  EXPECT_EQ(judge_disk("it", 100 * giga, 9 * giga).severity, Severity::warning);
  EXPECT_EQ(judge_disk("it", 100 * giga, 1 * giga).severity, Severity::error);
  EXPECT_EQ(judge_disk("it", 10'000 * giga, 30 * giga).severity, Severity::ok) << "30 GB are a while, on any disk";
  EXPECT_FALSE(judge_disk("it", 100 * giga, 0).mend.empty());
}

TEST(DoctorClock, IsToldAheadFromBehind) {
  EXPECT_EQ(judge_clock(0.4).severity, Severity::ok);
  EXPECT_EQ(judge_clock(-5).severity, Severity::warning);
  EXPECT_NE(judge_clock(-5).found.find("behind"), std::string::npos);
  EXPECT_EQ(judge_clock(120).severity, Severity::error);
  EXPECT_NE(judge_clock(120).found.find("ahead"), std::string::npos);
}

TEST(DoctorAges, AreBadLongBeforePostgresqlStops) {
  constexpr std::int64_t million = 1'000'000;
  EXPECT_EQ(judge_age(250 * million, 200 * million), Severity::ok) << "autovacuum has begun, and takes its time";
  EXPECT_EQ(judge_age(301 * million, 200 * million), Severity::warning);
  EXPECT_EQ(judge_age(1'100 * million, 2'000 * million), Severity::ok);
  EXPECT_EQ(judge_age(1'300 * million, 2'000 * million), Severity::warning) << "whatever autovacuum is set to";
  EXPECT_EQ(judge_age(1'600 * million, 2'000 * million), Severity::error);
  EXPECT_EQ(judge_age(2'147 * million, 100'000), Severity::error);
}

Severity judged(bool local, bool encrypted, const std::string& sslmode, bool has_root_certificate) {
  return judge_transport({.local = local,
                          .encrypted = encrypted,
                          .sslmode = sslmode,
                          .has_root_certificate = has_root_certificate,
                          .backend_encrypted = encrypted,
                          .backend_remote = !local})
      .severity;
}

TEST(DoctorTransport, NeedsTlsAndACheckedCertificateBeyondThisMachine) {
  EXPECT_EQ(judged(true, false, "disable", false), Severity::ok);
  EXPECT_EQ(judged(false, false, "prefer", true), Severity::warning);
  EXPECT_EQ(judged(false, true, "prefer", true), Severity::warning) << "it would do without, too";
  EXPECT_EQ(judged(false, true, "require", false), Severity::warning);
  EXPECT_EQ(judged(false, true, "require", true), Severity::ok) << "then it is verify-ca";
  EXPECT_EQ(judged(false, true, "verify-ca", true), Severity::ok);
  EXPECT_EQ(judged(false, true, "verify-full", true), Severity::ok);
}

TEST(DoctorTransport, GoesOnBehindAPooler) {
  Transport way{.local = false,
                .encrypted = true,
                .sslmode = "verify-full",
                .has_root_certificate = true,
                .backend_encrypted = false,
                .backend_remote = true};
  EXPECT_EQ(judge_transport(way).severity, Severity::warning);
  EXPECT_FALSE(judge_transport(way).mend.empty());
  way.backend_remote = false;
  EXPECT_EQ(judge_transport(way).severity, Severity::ok) << "the pooler is on PostgreSQL's machine";
}

TEST(DoctorConnections, AreMendedWithoutTheirSecrets) {
  const auto lines =
      connection_lines("postgresql://me:s3cret@db.example:6432/the%20db?sslmode=require&application_name=it",
                       {{"sslmode", "verify-full"}, {"sslrootcert", "/a b/ca.pem"}});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "[storage.postgres]");
  EXPECT_EQ(lines[1].find("s3cret"), std::string::npos);
  for (const auto* part : {"user=me", "password=PASSWORD", "host=db.example", "port=6432", "dbname='the db'",
                           "application_name=it", "sslmode=verify-full", "sslrootcert='/a b/ca.pem'"})
    EXPECT_NE(lines[1].find(part), std::string::npos) << part << " in " << lines[1];
  EXPECT_EQ(lines[1].find("require"), std::string::npos);
}

TEST(DoctorConnections, StartPostgresqlOnlyWhereItIs) {
  const std::string refused = "connection refused";
  EXPECT_EQ(mend_of_refusal(refused, "host=/run/postgresql").front().lines.front(), "systemctl start postgresql");
  const auto far = mend_of_refusal(refused, "host=db.example port=6432");
  ASSERT_EQ(far.size(), 1U);
  EXPECT_EQ(far.front().lines.front(), "pg_isready -h db.example -p 6432");
}

TEST(DoctorWords, AreQuotedWhereAShellWantsIt) {
  EXPECT_EQ(in_shell("/var/lib/raceway"), "/var/lib/raceway");
  EXPECT_EQ(in_shell("it's"), "'it'\\''s'");
  EXPECT_EQ(in_shell("$(reboot)"), "'$(reboot)'");
  EXPECT_EQ(in_shell(""), "''");
}

TEST(DoctorReport, NeverBreaksALineThatIsToBeRun) {
  const std::string statement = "ALTER SYSTEM SET " + std::string(200, 'x') + " = '1 2 3';";
  const Findings findings = {{"a check",
                              Severity::error,
                              "some words that go on and on for much longer than forty columns",
                              {{Place::sql, "superuser", {statement}, "restart PostgreSQL"}}}};
  std::ostringstream out;
  print_text(out, findings, {false, 40});
  EXPECT_NE(out.str().find(statement + "\n"), std::string::npos);
  EXPECT_NE(out.str().find("1 error, 0 warnings, 0 ok"), std::string::npos);
  EXPECT_EQ(out.str().find('\x1b'), std::string::npos);
}

TEST(DoctorReport, SaysWhatItFoundOnTheNextLineWhereTheNameIsLong) {
  std::ostringstream out;
  print_text(out, {{"short", Severity::ok, "0.9", {}}, {"a name of twenty-one", Severity::ok, "none", {}}},
             {false, 40});
  EXPECT_EQ(out.str().substr(0, out.str().find("\n\n")),
            "ok       short        0.9\nok       a name of twenty-one\n                      none");
}

TEST(DoctorReport, IsJsonWhateverADatabaseSays) {
  std::ostringstream out;
  print_json(out, {{"a", Severity::warning, "not \xff UTF-8", {}}});
  const auto report = nlohmann::json::parse(out.str());
  EXPECT_EQ(report["worst"], "warning");
  EXPECT_EQ(report["findings"][0]["mend"].size(), 0U);
}

TEST(Wrapping, KeepsWordsWholeAndLinesShort) {
  EXPECT_EQ(terminal::wrapped("one two three", 7, 0), "one two\nthree");
  EXPECT_EQ(terminal::wrapped("one two", 7, 4), "one\n    two");
  EXPECT_EQ(terminal::wrapped("incomprehensibilities", 5, 0), "incomprehensibilities");
  EXPECT_EQ(terminal::wrapped("", 5, 2), "");
  EXPECT_EQ(terminal::wrapped("\u00e4\u00e4 \u00e4\u00e4", 5, 0), "\u00e4\u00e4 \u00e4\u00e4") << "columns, not bytes";
}

}  // namespace
}  // namespace raceway::server::doctor
