// One connection to PostgreSQL over libpq, and the answers that come over it.
//
// Every statement goes as one message with its parameters apart, nothing is prepared by name and nothing is SET: any
// statement may run on another backend than the one before it (a pooler in transaction mode), except within a
// transaction.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/interrupt.hpp"
#include "wire/event.hpp"

namespace raceway::server::postgres {

/// What the database, or the way to it, said. what() holds message, detail and hint; never a password.
class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(const std::string& message, std::string sqlstate)
      : std::runtime_error(message), sqlstate_(std::move(sqlstate)) {}
  /// Five characters; empty where the error is the client's own (no connection, a broken one).
  const std::string& sqlstate() const { return sqlstate_; }

 private:
  std::string sqlstate_;
};

/// The rows of an answer, in binary form.
class PgResult {
 public:
  explicit PgResult(PGresult* result) : result_(result, PQclear) {}
  bool is_there() const { return result_ != nullptr; }
  int rows() const { return PQntuples(result_.get()); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) == 1; }
  /// Of a text, varchar, json or bytea column; lives as long as the result.
  std::string_view text(int row, int column) const;
  std::int64_t int64(int row, int column) const;
  float float4(int row, int column) const;
  /// Of a timestamp column.
  wire::Micros micros(int row, int column) const { return int64(row, column); }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

/// A parameter in binary form, of the type that the statement casts it to. Refers to its text until it is sent.
struct PgParameter {
  static PgParameter null() { return {}; }
  static PgParameter text(std::string_view value);               ///< for $n::text
  static PgParameter int64(std::int64_t value);                  ///< for $n::bigint
  static PgParameter micros(std::optional<wire::Micros> value);  ///< for $n::timestamp
  static PgParameter optional_text(const std::optional<std::string>& value);
  static PgParameter texts(const std::vector<std::string>& values);        ///< for $n::text[]
  static PgParameter bodies(const std::vector<std::string_view>& values);  ///< for $n::bytea[]

  bool is_null = true;
  std::string_view view;  ///< where it only refers
  std::string owned;      ///< where it had to be built
  std::string_view bytes() const { return view.data() != nullptr ? view : std::string_view(owned); }
};

/// How long a statement may keep its caller waiting.
struct Patience {
  std::optional<std::chrono::milliseconds> limit;  ///< for each statement; nothing: as long as it takes
  const Interrupt* interrupt = nullptr;            ///< ends the wait when it is raised; outlives the connection's use
};

/// Not thread-safe. Throws DatabaseError throughout.
///
/// A statement that is waited for no longer takes its connection with it. Whether it was carried out, and whether it
/// will be, is not known then.
class PgConnection {
 public:
  /// Connects, within about `timeout` (at least two seconds).
  PgConnection(const std::string& connection_string, std::chrono::seconds timeout);

  /// For the statements from now on; without it any of them may take as long as it likes.
  void set_patience(const Patience& patience) { patience_ = patience; }
  const Patience& patience() const { return patience_; }

  /// Runs one statement.
  PgResult run(const std::string& sql, const std::vector<PgParameter>& parameters = {});

  /// Runs several statements, sent as one: in one transaction, unless they say otherwise.
  void run_script(const std::string& sql);

  /// From now on `tell` gets what the database says by the way (NOTICE, WARNING), a line with its newline, while a
  /// statement runs. Without it, it is dropped.
  void on_notice(std::function<void(const std::string&)> tell);

  /// Whether it can be used again: neither broken nor inside a transaction.
  bool usable() const;

  /// Whether it leads to this machine: to a socket file or a loopback address. A pooler may be what answers there.
  bool local() const;

  /// Whether TLS covers the way to whatever answers there.
  bool encrypted() const { return PQsslInUse(connection_.get()) == 1; }

  /// What is in force of a keyword of connection strings ("sslmode"), wherever it came from; empty where nothing is.
  std::string option(std::string_view keyword) const;

  /// Whether the connection was found gone. One that was given up is not: it is no use either.
  bool broken() const { return connection_ && PQstatus(connection_.get()) != CONNECTION_OK; }

 private:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  /// Sees the statement that was just handed to libpq through; answers its last result, or its error.
  PgResult finish(bool sent);
  /// Waits until the socket has one of `events` of poll().
  void await(short events, const Deadline& deadline);
  bool holds_bytes_back() const;
  [[noreturn]] void give_up(const std::string& reason);

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;  // nothing where it was given up
  Patience patience_;
  // Apart, so that libpq's pointer to it stays true when the connection is moved.
  std::unique_ptr<std::function<void(const std::string&)>> tell_;
};

}  // namespace raceway::server::postgres
