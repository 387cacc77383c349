#include "postgres/boundary.hpp"

#include <string_view>

#include "causality/clock_error.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace raceway::postgres {

struct PostgresError::Owned {
  explicit Owned(ErrorData* error) : data(error) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (data != nullptr) FreeErrorData(data);
  }

  ErrorData* data;
};

PostgresError::PostgresError(ErrorData* data) : owned_(std::make_shared<Owned>(data)) {}

int PostgresError::sqlstate() const noexcept {
  return owned_->data->sqlerrcode;
}

const char* PostgresError::what() const noexcept {
  const ErrorData* const error = owned_->data;
  return error == nullptr || error->message == nullptr ? "an error of PostgreSQL" : error->message;
}

const ErrorData* PostgresError::data() const noexcept {
  return owned_->data;
}

ErrorData* PostgresError::release() noexcept {
  return std::exchange(owned_->data, nullptr);
}

namespace detail {
namespace {

/// `text` in palloc'd memory, fit to be sent to a client; null where it is empty or memory is short.
const char* keep(std::string_view text) noexcept {
  if (text.empty() || text.size() >= MaxAllocSize) return nullptr;
  auto* const kept =
      static_cast<char*>(MemoryContextAllocExtended(CurrentMemoryContext, text.size() + 1, MCXT_ALLOC_NO_OOM));
  if (kept == nullptr) return nullptr;
  std::memcpy(kept, text.data(), text.size());
  kept[text.size()] = '\0';
  if (!pg_verifymbstr(kept, static_cast<int>(text.size()), true)) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (kept[at] == '\0' || IS_HIGHBIT_SET(kept[at])) kept[at] = '?';
    }
  }
  return kept;
}

Failure failure_of(int sqlstate, std::string_view message, std::string_view error_detail = {},
                   std::string_view hint = {}) noexcept {
  const char* const kept = keep(message);
  return {nullptr, sqlstate, kept == nullptr ? "an error without a message" : kept, keep(error_detail), keep(hint)};
}

int sqlstate_of(causality::InvalidClock::Kind kind) noexcept {
  using Kind = causality::InvalidClock::Kind;
  const bool another_type = kind == Kind::not_a_clock || kind == Kind::not_a_number;
  return another_type ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
}

/// The error that was just caught, in the entry point's memory, and PostgreSQL's error state cleared.
/// Null where there was no memory for it. Leaves the current memory context as it finds it.
ErrorData* take_raised_error() {
  const MemoryContext current = CurrentMemoryContext;
  ErrorData* volatile error = nullptr;
  if (entry_memory != nullptr) MemoryContextSwitchTo(entry_memory);
  PG_TRY();
  error = CopyErrorData();
  PG_CATCH();
  error = nullptr;
  PG_END_TRY();
  FlushErrorState();
  MemoryContextSwitchTo(current);
  return error;
}

}  // namespace

MemoryContext entry_memory = nullptr;

void guard(bool (*run)(void* state), void* state) {
  const MemoryContext memory = CurrentMemoryContext;
  const MemoryContext entry = entry_memory;
  volatile bool raised = false;
  volatile bool returned = false;
  PG_TRY();
  returned = run(state);
  PG_CATCH();
  raised = true;
  PG_END_TRY();
  if (returned) return;
  // A function of ours that was called in there and left by a raise could not set it back itself.
  entry_memory = entry;
  MemoryContextSwitchTo(memory);
  if (!raised) return;
  ErrorData* const error = take_raised_error();
  if (error == nullptr) throw std::bad_alloc();
  throw PostgresError(error);
}

Failure describe_current_exception() noexcept {
  try {
    throw;
  } catch (PostgresError& error) {
    ErrorData* const original = error.release();
    return {original, ERRCODE_INTERNAL_ERROR, "an error that was raised already", nullptr, nullptr};
  } catch (const SqlError& error) {
    return failure_of(error.sqlstate(), error.message(), error.detail(), error.hint());
  } catch (const causality::InvalidClock& error) {
    return failure_of(sqlstate_of(error.kind()), error.what(), error.rule(), error.remedy());
  } catch (const std::bad_alloc&) {
    return {nullptr, ERRCODE_OUT_OF_MEMORY, "out of memory", nullptr, nullptr};
  } catch (const std::exception& error) {
    return failure_of(ERRCODE_INTERNAL_ERROR, error.what());
  } catch (...) {
    return failure_of(ERRCODE_INTERNAL_ERROR, "an exception that is no std::exception");
  }
}

void raise(const Failure& failure) {
  if (failure.original != nullptr) ReThrowError(failure.original);
  ereport(ERROR, (errcode(failure.sqlstate), errmsg_internal("%s", failure.message),
                  failure.detail == nullptr ? 0 : errdetail_internal("%s", failure.detail),
                  failure.hint == nullptr ? 0 : errhint("%s", failure.hint)));
}

}  // namespace detail
}  // namespace raceway::postgres
