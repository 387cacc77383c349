// What makes the library loadable.
#include "postgres/boundary.hpp"

// PostgreSQL 15 and earlier do not mark what must be visible; all else of this library is hidden.
#pragma GCC visibility push(default)
extern "C" {
PG_MODULE_MAGIC;
}
#pragma GCC visibility pop
