// What makes the library loadable, and its settings.
#include <limits>

#include "postgres/analysis_memory.hpp"
#include "postgres/body_limit.hpp"
#include "postgres/boundary.hpp"
#include "postgres/ingest_layout.hpp"
#include "postgres/ingest_store.hpp"
#include "postgres/native_formats.hpp"

// PostgreSQL 15 and earlier do not mark what must be visible; all else of this library is hidden.
#pragma GCC visibility push(default)
extern "C" {
#include "utils/guc.h"
PG_MODULE_MAGIC;
void _PG_init();
}
#pragma GCC visibility pop

namespace raceway::postgres {
namespace {

int value_of(IngestWay way) {
  return static_cast<int>(way);
}

void define_settings() {
  static const config_enum_entry ways[] = {{name_of(IngestWay::automatic), value_of(IngestWay::automatic), false},
                                           {name_of(IngestWay::direct), value_of(IngestWay::direct), false},
                                           {name_of(IngestWay::checking), value_of(IngestWay::checking), false},
                                           {name_of(IngestWay::spi), value_of(IngestWay::spi), false},
                                           {nullptr, 0, false}};
  DefineCustomEnumVariable("raceway.ingest_way",
                           "How ingest writes, for comparing the ways; their results are the same.", nullptr,
                           &wanted_ingest_way, wanted_ingest_way, ways, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable("raceway.direct_writes",
                           "Whether ingest may write tables of the known layout below the executor, which is faster.",
                           nullptr, &direct_writes, direct_writes, PGC_SUSET, 0, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable(
      "raceway.native_formats",
      "Whether numeric is read, and jsonb written, without PostgreSQL's functions, which is faster.", nullptr,
      &native_formats, native_formats, PGC_SUSET, 0, nullptr, [](bool wanted, void*) { set_native_formats(wanted); },
      nullptr);
  DefineCustomIntVariable("raceway.max_body_bytes", "The largest body that ingest takes.",
                          "Reading takes up to six times as much memory, and one MB.", &max_body_bytes,
                          default_max_body_bytes, 1024, static_cast<int>(MaxAllocSize), PGC_SUSET, GUC_UNIT_BYTE,
                          nullptr, nullptr, nullptr);
  DefineCustomIntVariable("raceway.max_analysis_bytes", "The memory that the analysis of one trace may take.",
                          "It is counted beside work_mem, for each such function of a query.", &max_analysis_bytes,
                          default_max_analysis_bytes, 64 << 10, std::numeric_limits<int>::max(), PGC_SUSET,
                          GUC_UNIT_BYTE, nullptr, nullptr, nullptr);
  MarkGUCPrefixReserved("raceway");
}

}  // namespace
}  // namespace raceway::postgres

void _PG_init() {
  // What may end by an error, or be cancelled, comes first: PostgreSQL calls all of it again then.
  raceway::postgres::detail::enter([] {
    raceway::postgres::check_native_formats();
    return Datum{0};
  });
  raceway::postgres::define_settings();
}
