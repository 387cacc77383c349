// The rows that a set-returning function answers, from values that know nothing of PostgreSQL.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "causality/happened_before.hpp"
#include "postgres/boundary.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace raceway::postgres {

/// One value of a row. Refers to what it was made of, which needs to live until the row is added.
class Value {
 public:
  static Value null() { return {}; }
  static Value text(std::string_view text) { return of(Kind::text, text.data(), text.size()); }
  /// NULL where it is empty.
  static Value name(std::string_view text) { return text.empty() ? null() : Value::text(text); }
  static Value integer(std::uint32_t number) { return of_number(Kind::integer, number); }
  /// A bigint.
  static Value count(std::uint64_t number) { return of_number(Kind::count, static_cast<std::int64_t>(number)); }
  static Value flag(bool flag) { return of_number(Kind::flag, flag ? 1 : 0); }
  static Value timestamp(std::int64_t micros) { return of_number(Kind::timestamp, micros); }
  /// An interval from one timestamp to another; NULL where one of them is infinite.
  static Value interval(std::int64_t from, std::int64_t to) {
    Value value = of_number(Kind::interval, from);
    value.to_ = to;
    return value;
  }
  /// Nanoseconds as a numeric, in milliseconds.
  static Value millis(std::int64_t nanos) { return of_number(Kind::millis, nanos); }
  /// A text[].
  static Value texts(std::span<const std::string_view> texts) { return of(Kind::texts, texts.data(), texts.size()); }
  /// A jsonb object: the number of each line, from 1, and the position in it; they rise.
  static Value clock(std::span<const causality::Heard> clock) { return of(Kind::clock, clock.data(), clock.size()); }
  /// As PostgreSQL gave it.
  static Value datum(Datum datum, bool is_null) {
    Value value = of_number(is_null ? Kind::null : Kind::datum, 0);
    value.datum_ = datum;
    return value;
  }

  bool is_null() const { return kind_ == Kind::null || (kind_ == Kind::interval && !is_finite()); }
  /// In the current memory context, as far as it needs some. Raises; throws SqlError where a jsonb would be too large.
  Datum make() const;

 private:
  enum class Kind : std::uint8_t { null, text, integer, count, flag, timestamp, interval, millis, texts, clock, datum };

  static Value of(Kind kind, const void* at, std::size_t size) {
    Value value;
    value.kind_ = kind;
    value.at_ = at;
    value.size_ = size;
    return value;
  }
  static Value of_number(Kind kind, std::int64_t number) {
    Value value;
    value.kind_ = kind;
    value.number_ = number;
    return value;
  }
  bool is_finite() const;
  Datum make_texts() const;
  Datum make_clock() const;

  Kind kind_ = Kind::null;
  const void* at_ = nullptr;
  std::size_t size_ = 0;
  std::int64_t number_ = 0;
  std::int64_t to_ = 0;
  Datum datum_ = 0;
};

/// Takes the rows in, on disk where they are many.
class ResultRows {
 public:
  /// Raises where the function is called where no rows are expected. To be made before SPI is connected, and where
  /// nothing has a destructor.
  explicit ResultRows(FunctionCallInfo fcinfo);

  /// As many values as the function has columns.
  void add(std::initializer_list<Value> row);

 private:
  ReturnSetInfo* info_;
  MemoryContext row_memory_;
};

}  // namespace raceway::postgres
