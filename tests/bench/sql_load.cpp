#include "sql_load.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "postgres/portable_ingest.hpp"
#include "rows.hpp"

namespace raceway::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Closer {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Closer>;

std::uint64_t number(const char* text) {
  return *text == '\0' ? 0 : std::stoull(text);
}

class Connection {
 public:
  explicit Connection(const std::string& connection_string) : connection_(PQconnectdb(connection_string.c_str())) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail();
  }

  void execute(const char* sql) { check(PQexec(connection_.get(), sql), PGRES_TUPLES_OK); }

  void prepare(const char* sql) { check(PQprepare(connection_.get(), "", sql, 0, nullptr), PGRES_COMMAND_OK); }

  /// Runs what was prepared, with binary parameters.
  Result run(const std::vector<std::string>& parameters, ExecStatusType expected) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const auto& parameter : parameters) {
      values.push_back(parameter.data());
      lengths.push_back(static_cast<int>(parameter.size()));
    }
    const std::vector<int> formats(parameters.size(), 1);
    return check(PQexecPrepared(connection_.get(), "", static_cast<int>(parameters.size()), values.data(),
                                lengths.data(), formats.data(), 0),
                 expected);
  }

  std::uint64_t copy(const std::string& sql, const std::string& data) {
    check(PQexec(connection_.get(), sql.c_str()), PGRES_COPY_IN);
    if (PQputCopyData(connection_.get(), data.data(), static_cast<int>(data.size())) != 1) fail();
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) fail();
    const auto result = check(PQgetResult(connection_.get()), PGRES_COMMAND_OK);
    while (Result(PQgetResult(connection_.get()))) {
    }
    return number(PQcmdTuples(result.get()));
  }

 private:
  Result check(PGresult* answer, ExecStatusType expected) {
    Result result(answer);
    if (PQresultStatus(answer) != expected) fail();
    return result;
  }
  [[noreturn]] void fail() { throw std::runtime_error(PQerrorMessage(connection_.get())); }

  std::unique_ptr<PGconn, Closer> connection_;
};

// The roll-up counts every event that is sent: right as long as none is sent twice.
const std::string unnest_statement = std::string("WITH counted AS (INSERT INTO raceway.traces AS t ") + trace_columns +
                                     R"sql(
  SELECT * FROM unnest($9::text[], $10::text[], $11::timestamp[], $12::timestamp[], $13::int4[])
  ON CONFLICT (trace_id) DO UPDATE SET event_count = t.event_count + excluded.event_count,
    start_time = LEAST(t.start_time, excluded.start_time), end_time = GREATEST(t.end_time, excluded.end_time))
INSERT INTO raceway.events )sql" + event_columns +
                                     R"sql(
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamp[], $5::float4[], $6::text[], $7::jsonb[],
                       $8::jsonb[])
  ON CONFLICT (event_id) DO NOTHING)sql";

std::string ingest_statement(const std::string& function) {
  return "SELECT stored, duplicates, jsonb_array_length(rejected), ingest_way FROM " + function + "($1::bytea)";
}

/// A connection, what it is to send, and what became of it.
class Sender {
 public:
  Sender(const std::string& connection_string, Way way, const std::string& ingest_function,
         const std::vector<std::string>& bodies)
      : connection_(connection_string), way_(way) {
    // Loads the extension's library and fills the caches of the session, as in one that has run for a while.
    connection_.execute("SELECT raceway.vclock_size('{}'), count(*) FROM raceway.events LIMIT 0");
    if (way == Way::copy) {
      rows_ = copy_rows(bodies);
      return;
    }
    if (way == Way::portable) {
      server_connection_.emplace(connection_string, std::chrono::seconds(10));
      bodies_ = bodies;
      return;
    }
    connection_.prepare((way == Way::unnest ? unnest_statement : ingest_statement(ingest_function)).c_str());
    for (const auto& body : bodies) {
      parameters_.push_back(way == Way::unnest ? array_columns(body) : std::vector<std::string>{body});
    }
  }

  void send_traces() {
    if (way_ != Way::copy) return;
    const auto start = Clock::now();
    connection_.copy(std::string("COPY raceway.traces ") + trace_columns + " FROM STDIN (FORMAT binary)", rows_.traces);
    outcome_.preparation_seconds = seconds_since(start);
  }

  void send() {
    const std::size_t requests = std::max({rows_.events.size(), parameters_.size(), bodies_.size()});
    for (std::size_t at = 0; at < requests; ++at) {
      const auto start = Clock::now();
      send_one(at);
      outcome_.latencies_millis.push_back(seconds_since(start) * 1000);
    }
  }

  const Outcome& outcome() const { return outcome_; }

 private:
  void send_one(std::size_t at) {
    static const std::string copy = std::string("COPY raceway.events ") + event_columns + " FROM STDIN (FORMAT binary)";
    if (way_ == Way::copy) {
      outcome_.stored += connection_.copy(copy, rows_.events[at]);
    } else if (way_ == Way::unnest) {
      outcome_.stored += number(PQcmdTuples(connection_.run(parameters_[at], PGRES_COMMAND_OK).get()));
    } else if (way_ == Way::portable) {
      const auto result = server::postgres::ingest_portably(*server_connection_, {bodies_[at]}).front();
      outcome_.stored += result.stored;
      outcome_.duplicates += result.duplicates;
      outcome_.rejected += result.rejected.count();
    } else {
      const auto answer = connection_.run(parameters_[at], PGRES_TUPLES_OK);
      outcome_.stored += number(PQgetvalue(answer.get(), 0, 0));
      outcome_.duplicates += number(PQgetvalue(answer.get(), 0, 1));
      outcome_.rejected += number(PQgetvalue(answer.get(), 0, 2));
      ++outcome_.ways[PQgetvalue(answer.get(), 0, 3)];
    }
  }

  Connection connection_;
  Way way_;
  CopyRows rows_;
  std::vector<std::vector<std::string>> parameters_;
  std::optional<server::postgres::PgConnection> server_connection_;
  std::vector<std::string> bodies_;
  Outcome outcome_;
};

}  // namespace

Outcome load_by_sql(const std::string& connection_string, Way way, const std::string& ingest_function,
                    const std::vector<std::vector<std::string>>& bodies_by_connection) {
  std::vector<std::unique_ptr<Sender>> senders;
  for (const auto& bodies : bodies_by_connection) {
    senders.push_back(std::make_unique<Sender>(connection_string, way, ingest_function, bodies));
    senders.back()->send_traces();
  }
  std::vector<std::exception_ptr> failures(senders.size());
  std::barrier everyone(static_cast<std::ptrdiff_t>(senders.size()) + 1);
  std::vector<std::jthread> threads;
  for (std::size_t at = 0; at < senders.size(); ++at) {
    threads.emplace_back([&, at] {
      everyone.arrive_and_wait();
      try {
        senders[at]->send();
      } catch (...) {
        failures[at] = std::current_exception();
      }
      everyone.arrive_and_wait();
    });
  }
  everyone.arrive_and_wait();
  const auto start = Clock::now();
  everyone.arrive_and_wait();
  Outcome all;
  all.seconds = seconds_since(start);
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  for (const auto& sender : senders) {
    all.add(sender->outcome());
    all.preparation_seconds += sender->outcome().preparation_seconds;
  }
  return all;
}

}  // namespace raceway::bench
