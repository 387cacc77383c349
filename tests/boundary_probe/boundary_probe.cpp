// Functions that fail under live C++ objects, each in its own way. See tests/faults/test_boundary.py.
#include <malloc.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "causality/clock_error.hpp"
#include "postgres/boundary.hpp"
#include "postgres/subtransaction.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#pragma GCC visibility push(default)
PG_MODULE_MAGIC;
#pragma GCC visibility pop
}

namespace raceway::postgres {
namespace {

std::int64_t made = 0;
std::int64_t destroyed = 0;

/// Counts itself, and holds memory that is lost if its destructor is skipped.
class Witness {
 public:
  Witness() : held_(1000, 'x') { ++made; }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { ++destroyed; }

 private:
  std::string held_;
};

/// Raises division_by_zero. The quotient cannot be known while compiling.
void divide_by_zero() {
  volatile int zero = 0;
  DirectFunctionCall2(int4div, Int32GetDatum(1), Int32GetDatum(zero));
}

/// Runs `query` while a C++ object is live, and leaves SPI connected where it fails: its memory is gone with it.
void run_sql(const char* query) {
  const Witness witness;
  pg_call([] { SPI_connect(); });
  pg_call([query] { SPI_execute(query, false, 0); });
  pg_call([] { SPI_finish(); });
}

/// Ends SPI while the error is on its way.
void run_sql_and_finish(const char* query) {
  struct Connection {
    Connection() {
      pg_call([] { SPI_connect(); });
    }
    ~Connection() {
      pg_call([] { SPI_finish(); });
    }
  } const connection;
  pg_call([query] { SPI_execute(query, false, 0); });
}

void raise_and_recover() {
  const Witness witness;
  try {
    Subtransaction attempt;
    pg_call(divide_by_zero);
  } catch (const PostgresError& error) {
    if (error.sqlstate() != ERRCODE_DIVISION_BY_ZERO) throw;
    throw SqlError(ERRCODE_RAISE_EXCEPTION, "recovered from: " + std::string(error.what()));
  }
}

void throw_in_other_memory() {
  MemoryContextSwitchTo(
      pg_call([] { return AllocSetContextCreate(CurrentMemoryContext, "probe", ALLOCSET_SMALL_SIZES); }));
  throw std::runtime_error("thrown while another memory context was current");
}

void wait_for_interrupt() {
  for (;;) check_for_interrupts();
}

using Failure = std::function<void()>;

const std::map<std::string, Failure>& failures() {
  using Kind = causality::InvalidClock::Kind;
  static const std::map<std::string, Failure> all = {
      {"nothing", [] {}},
      {"bad_alloc", [] { throw std::bad_alloc(); }},
      {"runtime_error", [] { throw std::runtime_error("a runtime error, 100% of it"); }},
      {"long_runtime_error", [] { throw std::runtime_error(std::string(100000, 'x')); }},
      {"empty_runtime_error", [] { throw std::runtime_error(""); }},
      {"bytes_that_are_no_text", [] { throw SqlError(ERRCODE_CHECK_VIOLATION, std::string("caf\xe9 \0!", 7)); }},
      {"int", [] { throw 42; }},
      {"sql_error", [] { throw SqlError(ERRCODE_CHECK_VIOLATION, "a message", "a detail: 100%", "a hint: %s"); }},
      {"bare_sql_error", [] { throw SqlError(ERRCODE_CHECK_VIOLATION, "a message alone"); }},
      {"clock_out_of_range", [] { throw causality::InvalidClock(Kind::out_of_range, "db", "-1"); }},
      {"no_clock", [] { throw causality::InvalidClock(Kind::not_a_clock, "", "[]"); }},
      {"exception_in_guard", [] { pg_call([] { throw std::runtime_error("thrown inside a guard"); }); }},
      {"sql_error_in_guard", [] { pg_call([] { throw SqlError(ERRCODE_CHECK_VIOLATION, "inside a guard"); }); }},
      {"division", [] { pg_call(divide_by_zero); }},
      {"division_in_two_guards", [] { pg_call([] { pg_call(divide_by_zero); }); }},
      {"own_error", [] { run_sql("SELECT probe_raise()"); }},
      {"own_error_and_finish", [] { run_sql_and_finish("SELECT probe_raise()"); }},
      {"constraint", [] { run_sql("INSERT INTO probe_table VALUES (-1)"); }},
      {"failing_function", [] { run_sql("SELECT probe_fail('runtime_error')"); }},
      {"failing_function_twice", [] { run_sql("SELECT probe_fail('failing_function')"); }},
      {"recovered", raise_and_recover},
      {"other_memory", throw_in_other_memory},
      {"endless", wait_for_interrupt},
  };
  return all;
}

}  // namespace

/// probe_fail(kind): fails in the named way, with C++ objects in two frames.
RACEWAY_FUNCTION(boundary_probe_fail) {
  const text* const kind = PG_GETARG_TEXT_PP(0);
  const std::string name(VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind));
  const std::vector<Witness> witnesses(3);
  const auto failure = failures().find(name);
  if (failure == failures().end()) throw std::invalid_argument("no such failure: " + name);
  failure->second();
  PG_RETURN_TEXT_P(pg_call([&name] { return cstring_to_text(name.c_str()); }));
}

/// probe_fail_unguarded(): raises where no C++ object is live, which needs no guard.
RACEWAY_FUNCTION(boundary_probe_fail_unguarded) {
  divide_by_zero();
  PG_RETURN_VOID();
}

/// probe_made(): how many objects there were.
RACEWAY_FUNCTION(boundary_probe_made) {
  PG_RETURN_INT64(made);
}

/// probe_alive(): how many objects still wait for their destructor.
RACEWAY_FUNCTION(boundary_probe_alive) {
  PG_RETURN_INT64(made - destroyed);
}

/// probe_heap(): the bytes that malloc has handed out, to C++ and to PostgreSQL's memory contexts.
RACEWAY_FUNCTION(boundary_probe_heap) {
  PG_RETURN_INT64(static_cast<std::int64_t>(mallinfo2().uordblks));
}

/// probe_memory_context(): the name of the current one.
RACEWAY_FUNCTION(boundary_probe_memory_context) {
  PG_RETURN_TEXT_P(cstring_to_text(CurrentMemoryContext->name));
}

}  // namespace raceway::postgres
