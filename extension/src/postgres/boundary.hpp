// The boundary between C++ and PostgreSQL. Every file of postgres/ includes this one first.
//
// PostgreSQL's errors are longjmps: they skip destructors. C++'s errors are exceptions: PostgreSQL's C code does not
// know them. Neither may cross the other, and this header is the only place where one becomes the other.
//
//   RACEWAY_FUNCTION(raceway_answer) {                 // SQL-callable; anything thrown in here becomes an ERROR
//     Jsonb* clock = PG_GETARG_JSONB_P(0);             // may raise as it is: no destructor is waiting yet
//     std::vector<int> rows;                           // from here on one is ...
//     pg_call([&] { SPI_connect(); });                 // ... so whatever may raise stands in a guard
//     if (rows.empty()) throw SqlError(ERRCODE_NO_DATA, "no rows", "Why.", "What to do.");
//     PG_RETURN_INT32(42);
//   }
//
// The rules:
//  1. A PostgreSQL call that can raise (palloc, too) stands in pg_call(), or where no C++ object with a destructor is
//     live in any frame up to the entry point. Never in a catch block or a destructor without pg_call().
//  2. What stands in pg_call() has no local with a destructor. It may throw C++ exceptions: they come out as they are.
//  3. A PostgresError goes on to the entry point. Catch it and carry on only after rolling back the subtransaction it
//     was raised in: PostgreSQL's state is undefined until then.
//  4. Destructors need not give back PostgreSQL's resources: the abort of the transaction does.
//  5. C code that calls back into C++ (a comparator, a hook) must find a function that throws nothing.
#pragma once

// The standard library comes before PostgreSQL, whose macros (printf, gettext ...) must not reach into it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <locale>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

// clang-format off
extern "C" {
#include "postgres.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/elog.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
}
// clang-format on

#if PG_VERSION_NUM < 150000
#error "Raceway needs PostgreSQL 15 or later."
#endif

namespace raceway::postgres {

/// An error of our own, on its way to the client. `sqlstate` is one of the ERRCODE_ constants; detail and hint may be
/// empty. The texts are in the database's encoding; bytes that are not are shown as '?'.
class SqlError : public std::exception {
 public:
  SqlError(int sqlstate, std::string message, std::string detail = {}, std::string hint = {})
      : sqlstate_(sqlstate), message_(std::move(message)), detail_(std::move(detail)), hint_(std::move(hint)) {}

  int sqlstate() const noexcept { return sqlstate_; }
  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& message() const noexcept { return message_; }
  const std::string& detail() const noexcept { return detail_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  int sqlstate_;
  std::string message_;
  std::string detail_;
  std::string hint_;
};

/// An error that PostgreSQL raised inside pg_call(), with all it said. Copies share it; the last one frees it.
class PostgresError : public std::exception {
 public:
  /// Takes over `data`, which stands in palloc'd memory.
  explicit PostgresError(ErrorData* data);

  int sqlstate() const noexcept;
  const char* what() const noexcept override;
  /// Never null before release().
  const ErrorData* data() const noexcept;
  /// Hands the error over to the caller, who frees it; only the entry point has a use for that.
  ErrorData* release() noexcept;

 private:
  struct Owned;
  std::shared_ptr<Owned> owned_;
};

namespace detail {

/// An error as plain data, to be raised when the last C++ object is gone. Its texts are palloc'd, or literals.
struct Failure {
  ErrorData* original;  ///< PostgreSQL's own error; if set, the rest is not
  int sqlstate;
  const char* message;
  const char* detail;
  const char* hint;
};

/// The memory of the entry point that is running: where errors are kept, since it outlives whatever the body does.
extern MemoryContext entry_memory;

/// Call in a catch block: what the exception says. Frees nothing, raises nothing, throws nothing.
Failure describe_current_exception() noexcept;
[[noreturn]] void raise(const Failure& failure);

/// Runs `run(state)` under PG_TRY. Throws PostgresError where PostgreSQL raised; gives back the memory context that was
/// current where `run` failed in either way (false: it caught a C++ exception and keeps it in `state`).
void guard(bool (*run)(void* state), void* state);

template <class Result>
struct Outcome {
  Result value;
  template <class F>
  void take(F& f) {
    value = f();
  }
  Result give() { return value; }
};
template <>
struct Outcome<void> {
  template <class F>
  void take(F& f) {
    f();
  }
  void give() {}
};

template <class F, class Result>
struct GuardedCall {
  F& f;
  Outcome<Result> outcome;
  std::exception_ptr thrown;

  static bool run(void* state) {
    auto* const self = static_cast<GuardedCall*>(state);
    try {
      self->outcome.take(self->f);
      return true;
    } catch (...) {
      self->thrown = std::current_exception();
      return false;
    }
  }
};

/// Runs the body of a function that PostgreSQL calls: what it throws is raised.
template <class Body>
inline Datum enter(Body body) {
  const MemoryContext outer = entry_memory;
  const MemoryContext memory = CurrentMemoryContext;
  Failure failure;
  entry_memory = memory;
  try {
    const Datum result = body();
    entry_memory = outer;
    return result;
  } catch (...) {
    MemoryContextSwitchTo(memory);
    failure = describe_current_exception();
  }
  entry_memory = outer;
  raise(failure);
}

}  // namespace detail

/// Runs PostgreSQL calls that may raise, and throws PostgresError where one does. Returns what `f` returns: a pointer,
/// a number, a plain struct, nothing. Costs one sigsetjmp (some 10 ns): guard a loop rather than each of its rounds.
template <class F>
auto pg_call(F&& f) -> std::invoke_result_t<F&> {
  using Result = std::invoke_result_t<F&>;
  static_assert(std::is_void_v<Result> || (std::is_trivially_copyable_v<Result> &&
                                           std::is_trivially_destructible_v<Result> && !std::is_reference_v<Result>),
                "a raise would skip the destructor of what pg_call() returns");
  detail::GuardedCall<std::remove_reference_t<F>, Result> call{f, {}, {}};
  detail::guard(&decltype(call)::run, &call);
  if (call.thrown) std::rethrow_exception(std::move(call.thrown));
  return call.outcome.give();
}

/// CHECK_FOR_INTERRUPTS() for where C++ objects are live. One load where nothing is pending.
inline void check_for_interrupts() {
  if (unlikely(InterruptPending)) pg_call([] { CHECK_FOR_INTERRUPTS(); });
}

}  // namespace raceway::postgres

/// Begins a function that SQL can call under the C name `name`; its body follows in braces, sees `fcinfo` and returns a
/// Datum (PG_GETARG_ and PG_RETURN_ macros as usual). Whatever the body throws becomes an ERROR:
///   PostgresError   PostgreSQL's own error again, all its fields kept
///   SqlError        its SQLSTATE, message, detail and hint
///   InvalidClock    22003 for a number that is no counter, 22023 for what is no number or no clock
///   std::bad_alloc  53200 out_of_memory
///   anything else   XX000 internal_error, with what() where there is one
#define RACEWAY_FUNCTION(name)                                                                      \
  extern "C" {                                                                                      \
  __attribute__((visibility("default"))) Datum name(FunctionCallInfo fcinfo);                       \
  __attribute__((visibility("default"))) const Pg_finfo_record* CppConcat(pg_finfo_, name)();       \
  PG_FUNCTION_INFO_V1(name);                                                                        \
  }                                                                                                 \
  static Datum CppConcat(name, _body)(FunctionCallInfo fcinfo);                                     \
  Datum name(FunctionCallInfo fcinfo) {                                                             \
    return ::raceway::postgres::detail::enter([fcinfo] { return CppConcat(name, _body)(fcinfo); }); \
  }                                                                                                 \
  static Datum CppConcat(name, _body)([[maybe_unused]] FunctionCallInfo fcinfo)
