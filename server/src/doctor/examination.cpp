#include "doctor/examination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "config/machine_memory.hpp"

namespace raceway::server::doctor {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<Unit, 6> units = {{{"B", 1},
                                        {"kB", 1ULL << 10U},
                                        {"8kB", 8ULL << 10U},
                                        {"MB", 1ULL << 20U},
                                        {"GB", 1ULL << 30U},
                                        {"TB", 1ULL << 40U}}};

/// A server whose settings nobody chose says nothing about its memory; it is taken for a small one.
constexpr std::uint64_t least_memory = 1ULL << 30U;

}  // namespace

Examination::Examination(postgres::PgConnection connection, const config::Config& config,
                         std::optional<std::uint64_t> given_memory)
    : connection_(std::move(connection)), config_(config) {
  const auto facts = connection_.run(
      "SELECT current_user::text, current_database()::text, current_setting('server_version')::text, "
      "current_setting('server_version_num')::bigint, pg_catalog.pg_is_in_recovery()::int::bigint, "
      // Not by regclass: without a privilege for the schema that would be an error.
      "(SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "WHERE n.nspname = 'raceway' AND c.relname IN ('events', 'traces') AND c.relkind IN ('r', 'p')), "
      "(SELECT count(*) FROM pg_catalog.pg_namespace n WHERE n.nspname = 'raceway' "
      "AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')), "
      "coalesce(pg_catalog.inet_server_addr() <<= '127.0.0.0/8' OR pg_catalog.inet_server_addr() = '::1', "
      "true)::int::bigint");
  role = facts.text(0, 0);
  database = facts.text(0, 1);
  version = std::string(facts.text(0, 2));
  version = version.substr(0, version.find(' '));  // behind it, who built it
  version_number = facts.int64(0, 3);
  standby = facts.int64(0, 4) != 0;
  may_use_schema = facts.int64(0, 6) != 0;
  has_tables = facts.int64(0, 5) == 2 && may_use_schema;
  same_machine = facts.int64(0, 7) != 0 && connection_.local();
  load_settings();
  find_memory(given_memory);
}

void Examination::load_settings() {
  const auto all = connection_.run(
      "SELECT name::text, setting::text, unit::text, source::text, context::text, pending_restart::int::bigint "
      "FROM pg_catalog.pg_settings");
  for (int row = 0; row < all.rows(); ++row) {
    Setting setting;
    setting.text = all.text(row, 1);
    setting.unit = all.text(row, 2);
    setting.source = all.text(row, 3);
    setting.context = all.text(row, 4);
    setting.pending_restart = all.int64(row, 5) != 0;
    settings_.emplace(all.text(row, 0), std::move(setting));
  }
}

void Examination::find_memory(std::optional<std::uint64_t> given) {
  if (given) {
    memory = *given;
    memory_source = MemorySource::given;
  } else if (same_machine) {
    memory = config::usable_memory();
    memory_source = MemorySource::machine;
  } else {
    // Whoever set one of them by the memory can be checked against the other.
    memory = std::max({least_memory, bytes_of("shared_buffers") * 4, bytes_of("effective_cache_size") / 3 * 4});
    memory_source = MemorySource::guessed;
  }
}

std::optional<std::string> Examination::ask(const std::string& sql) {
  const auto result = connection_.run("SELECT q.v::text FROM (" + sql + ") AS q (v) LIMIT 1");
  if (result.rows() == 0 || result.is_null(0, 0)) return std::nullopt;
  return std::string(result.text(0, 0));
}

std::int64_t Examination::ask_number(const std::string& sql) {
  const auto text = ask(sql);
  return text ? std::strtoll(text->c_str(), nullptr, 10) : 0;
}

const Setting* Examination::setting(std::string_view name) const {
  const auto found = settings_.find(name);
  return found == settings_.end() ? nullptr : &found->second;
}

std::string Examination::text_of(std::string_view name) const {
  const auto* const found = setting(name);
  return found == nullptr ? "" : found->text;
}

bool Examination::is_on(std::string_view name) const {
  return text_of(name) == "on";
}

std::int64_t Examination::number_of(std::string_view name) const {
  return std::strtoll(text_of(name).c_str(), nullptr, 10);
}

double Examination::fraction_of(std::string_view name) const {
  return std::strtod(text_of(name).c_str(), nullptr);
}

std::uint64_t Examination::bytes_of(std::string_view name) const {
  const auto* const found = setting(name);
  const auto number = number_of(name);
  if (found == nullptr || number <= 0) return 0;
  const auto* const unit = std::ranges::find(units, found->unit, &Unit::name);
  return static_cast<std::uint64_t>(number) * (unit == units.end() ? 1 : unit->bytes);
}

std::int64_t Examination::seconds_of(std::string_view name) const {
  const auto* const found = setting(name);
  if (found == nullptr) return 0;
  const auto number = number_of(name);
  if (found->unit == "ms") return number / 1000;
  return found->unit == "min" ? number * 60 : number;
}

Mend Examination::mend_setting(std::string_view name, const std::string& value) const {
  const auto* const found = setting(name);
  const std::string source = found == nullptr ? "" : found->source;
  const std::string reset = " RESET " + std::string(name) + ";";
  if (source == "database") return {Place::sql, "owner", {"ALTER DATABASE " + sql_name(database) + reset}, {}};
  if (source == "user") return {Place::sql, "superuser", {"ALTER ROLE " + sql_name(role) + reset}, {}};
  if (source == "database user") {
    return {
        Place::sql, "superuser", {"ALTER ROLE " + sql_name(role) + " IN DATABASE " + sql_name(database) + reset}, {}};
  }
  Mend mend{Place::sql, "superuser", {fmt::format("ALTER SYSTEM SET {} = '{}';", name, value)}, {}};
  if (found != nullptr && found->context == "postmaster") {
    mend.then = "restart PostgreSQL";
  } else {
    mend.lines.emplace_back("SELECT pg_reload_conf();");
  }
  if (source == "client") mend.then = "and take " + std::string(name) + " out of connection_string and PGOPTIONS";
  if (source == "command line") mend.then = "and take it off the command line of postgres, then restart it";
  return mend;
}

std::string sql_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  const bool begins_well = !name.empty() && (name.front() < '0' || name.front() > '9');
  // Key words are not looked up: a database called "user" gets its quotes here, as does whatever is no plain word.
  constexpr std::array<std::string_view, 7> reserved = {"user", "all", "table", "order", "group", "default", "select"};
  if (begins_well && std::ranges::all_of(name, plain) && std::ranges::find(reserved, name) == reserved.end()) {
    return std::string(name);
  }
  std::string text = "\"";
  for (const char c : name) {
    text += c;
    if (c == '"') text += c;
  }
  return text + '"';
}

std::string in_shell(std::string_view word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:,@+").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::ranges::all_of(word, plain)) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string shown_bytes(std::uint64_t bytes) {
  std::size_t at = units.size() - 1;
  while (at > 0 && (bytes < units[at].bytes || units[at].name == "8kB")) --at;
  const double size = static_cast<double>(bytes) / static_cast<double>(units[at].bytes);
  const bool whole = std::abs(size - std::round(size)) < 0.05 || size >= 100;
  return fmt::format("{:.{}f} {}", size, whole ? 0 : 1, units[at].name);
}

std::string postgres_bytes(std::uint64_t bytes) {
  return std::to_string(std::max<std::uint64_t>(1, bytes >> 20U)) + "MB";
}

std::optional<std::uint64_t> read_bytes(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  const auto* const unit = std::ranges::find(units, rest.empty() ? "B" : rest, &Unit::name);
  if (unit == units.end() || unit->name == "8kB" || number > UINT64_MAX / unit->bytes) return std::nullopt;
  return number * unit->bytes;
}

}  // namespace raceway::server::doctor
