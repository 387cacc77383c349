// Reading as of one moment.
#pragma once

#include <chrono>
#include <string>

#include "postgres/connection.hpp"

namespace raceway::server::postgres {

/// A transaction that sees one moment, none of its statements longer than `limit`. The limit ends with it: nothing is
/// left set in a session that a pooler may hand to others. Forgotten by the pool where it is left open.
class Snapshot {
 public:
  Snapshot(PgConnection& connection, std::chrono::milliseconds limit) : connection_(connection) {
    connection_.run_script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = " +
                           std::to_string(limit.count()));
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() {
    try {
      connection_.run("COMMIT");
    } catch (const DatabaseError&) {
      // The pool looks at the connection and forgets it.
    }
  }

 private:
  PgConnection& connection_;
};

}  // namespace raceway::server::postgres
