// What makes the library loadable, and its settings.
#include "postgres/body_limit.hpp"
#include "postgres/boundary.hpp"
#include "postgres/ingest_store.hpp"

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

}  // namespace
}  // namespace raceway::postgres

void _PG_init() {
  using namespace raceway::postgres;
  static const config_enum_entry ways[] = {{name_of(IngestWay::automatic), value_of(IngestWay::automatic), false},
                                           {name_of(IngestWay::direct), value_of(IngestWay::direct), false},
                                           {name_of(IngestWay::checking), value_of(IngestWay::checking), false},
                                           {name_of(IngestWay::spi), value_of(IngestWay::spi), false},
                                           {nullptr, 0, false}};
  DefineCustomEnumVariable("raceway.ingest_way",
                           "How ingest writes, for comparing the ways; their results are the same.", nullptr,
                           &wanted_ingest_way, wanted_ingest_way, ways, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("raceway.max_body_bytes", "The largest body that ingest takes.",
                          "Reading takes up to six times as much memory, and one MB.", &max_body_bytes,
                          default_max_body_bytes, 1024, static_cast<int>(MaxAllocSize), PGC_SUSET, GUC_UNIT_BYTE,
                          nullptr, nullptr, nullptr);
#if PG_VERSION_NUM >= 150000
  MarkGUCPrefixReserved("raceway");
#endif
}
