// The database under examination: the connection to it, and what every check asks for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "doctor/finding.hpp"
#include "postgres/connection.hpp"

namespace raceway::server::doctor {

/// A row of pg_settings, as this session has it.
struct Setting {
  std::string text;     ///< in units of `unit`
  std::string unit;     ///< "kB", "8kB", "ms" ...; may be empty
  std::string source;   ///< where the value comes from: "default", "database", "client" ...
  std::string context;  ///< "postmaster": a change needs a restart
  bool pending_restart = false;
};

enum class MemorySource { given, machine, guessed };

/// Not thread-safe. Throws postgres::DatabaseError throughout.
class Examination {
 public:
  /// `given_memory` is that of PostgreSQL's machine, where it was told.
  Examination(postgres::PgConnection connection, const config::Config& config,
              std::optional<std::uint64_t> given_memory);

  const config::Config& config() const { return config_; }
  const postgres::PgConnection& connection() const { return connection_; }

  /// The first column of the first row as text; nothing where there is no row or it is NULL.
  std::optional<std::string> ask(const std::string& sql);
  /// The same of a number; 0 where there is none.
  std::int64_t ask_number(const std::string& sql);
  bool ask_whether(const std::string& sql) { return ask_number("SELECT (" + sql + ")::int") != 0; }
  postgres::PgResult rows(const std::string& sql) { return connection_.run(sql); }

  /// Nothing where this PostgreSQL has no such setting, or hides it from us.
  const Setting* setting(std::string_view name) const;
  std::string text_of(std::string_view name) const;      ///< "" where it is not there
  bool is_on(std::string_view name) const;               ///< whether it is "on"
  std::uint64_t bytes_of(std::string_view name) const;   ///< of a size; 0 where it is not there or negative
  std::int64_t seconds_of(std::string_view name) const;  ///< of a duration, rounded down
  std::int64_t number_of(std::string_view name) const;   ///< of a count; 0 where it is not there
  double fraction_of(std::string_view name) const;       ///< of a ratio

  /// Makes the setting `value`, wherever it was set.
  Mend mend_setting(std::string_view name, const std::string& value) const;

  std::string role;      ///< ours
  std::string database;  ///< ours
  std::string version;   ///< "15.18"
  std::int64_t version_number = 0;
  bool standby = false;
  bool may_use_schema = false;  ///< the schema raceway is there, and we have USAGE
  bool has_tables = false;      ///< traces and events are there, too
  bool same_machine = false;
  std::uint64_t memory = 0;  ///< bytes, of PostgreSQL's machine
  MemorySource memory_source = MemorySource::machine;

 private:
  void load_settings();
  void find_memory(std::optional<std::uint64_t> given);

  postgres::PgConnection connection_;
  const config::Config& config_;
  std::map<std::string, Setting, std::less<>> settings_;
};

/// A name as SQL wants it, in quotes where it needs them.
std::string sql_name(std::string_view name);

/// A word as a shell wants it, in quotes where it needs them.
std::string in_shell(std::string_view word);

/// A size for people ("1.5 GB"), and one for PostgreSQL, rounded down to megabytes ("1536MB").
std::string shown_bytes(std::uint64_t bytes);
std::string postgres_bytes(std::uint64_t bytes);

/// "16GB", "512 MB", "1073741824": bytes; nothing where it is no size.
std::optional<std::uint64_t> read_bytes(std::string_view text);

}  // namespace raceway::server::doctor
