#include "postgres/native_formats.hpp"

#include "postgres/jsonb_clock.hpp"
#include "postgres/jsonb_writer.hpp"
#include "postgres/numbers.hpp"
#include "postgres/numeric_counter.hpp"
#include "wire/arena.hpp"
#include "wire/json_reader.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
}

namespace raceway::postgres {

bool native_formats = true;

namespace {

using causality::Counter;

bool is_known = false;

/// Numbers, and what they are as counters; `valid` where they are some.
struct SampleNumber {
  const char* text;
  bool valid;
  Counter counter;
};
constexpr SampleNumber numbers[] = {
    {"0", true, 0},
    {"1", true, 1},
    {"9999", true, 9999},
    {"10000", true, 10000},
    {"10001", true, 10001},
    {"99999999", true, 99999999},
    {"100000000", true, 100000000},
    {"1000000000000", true, 1000000000000},
    {"18446744073709551615", true, 18446744073709551615U},
    {"18446744073709551616", false, 0},
    {"7.00", true, 7},
    {"1e20", false, 0},
    {"0.5", false, 0},
    {"-1", false, 0},
    {"-10000", false, 0},
};

/// Of every type, with names of several lengths, and more than the entries that say how long they are.
constexpr const char* documents[] = {
    "{}",
    R"({"a":1,"b":"two","cc":null,"dd":true,"eee":false,"f":[],"g":{}})",
    R"({"deep":{"er":[1,[2,{"x":[3.50,"\u00e9\n"]}],""]},"n":-12.5e-3,"zero":0.00,"big":123456789012345678901234567890})",
    R"([0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,"a","","b",34,35])",
    R"({"a1":1,"a2":"","a3":3,"a4":4,"a5":10000,"a6":"six","a7":7,"a8":8,"a9":9,"b1":1,"b2":2,"b3":3,"b4":4,"b5":5,"b6":6,)"
    R"("b7":7,"b8":8,"b9":9,"c1":1,"c2":2,"c3":3,"c4":4,"c5":5,"c6":6,"c7":7,"c8":8,"c9":9,"d1":1,"d2":2,"d3":3,"d4":[4]})",
};

/// Raises.
bool reads_numbers() {
  for (const auto& sample : numbers) {
    const Numeric number = numeric_of(sample.text);
    const auto* const bytes = reinterpret_cast<const char*>(number);
    Counter counter = 0;
    const bool valid = read_counter(bytes, VARSIZE(number), counter);
    if (valid != sample.valid || (valid && counter != sample.counter)) return false;
  }
  return true;
}

/// Throws; raises.
bool writes_documents() {
  for (const char* const text : documents) {
    wire::Arena arena;
    const wire::Json json = wire::read_json(text, arena);
    std::string ours;
    pg_call([&] { append_jsonb(ours, json); });
    const auto* const theirs = pg_call([text] {
      return reinterpret_cast<const char*>(DatumGetPointer(DirectFunctionCall1(jsonb_in, CStringGetDatum(text))));
    });
    if (ours != std::string_view(theirs, VARSIZE(theirs))) return false;
  }
  return true;
}

}  // namespace

bool uses_native_formats() {
  return native_formats && is_known;
}

void set_native_formats(bool wanted) {
  read_numeric_form(wanted && is_known);
}

void check_native_formats() {
  const MemoryContext caller = CurrentMemoryContext;
  const MemoryContext scratch =
      pg_call([] { return AllocSetContextCreate(CurrentMemoryContext, "raceway check", ALLOCSET_DEFAULT_SIZES); });
  MemoryContextSwitchTo(scratch);
  is_known = pg_call([] { return reads_numbers(); }) && writes_documents();
  if (!is_known) {
    pg_call([] {
      ereport(WARNING, (errmsg("raceway does not know how this PostgreSQL stores numeric or jsonb"),
                        errdetail("It goes on with PostgreSQL's own functions, which is slower."),
                        errhint("Install a version of raceway that was made for PostgreSQL %s.", PG_VERSION)));
    });
  }
  MemoryContextSwitchTo(caller);
  MemoryContextDelete(scratch);
  set_native_formats(native_formats);
}

}  // namespace raceway::postgres
