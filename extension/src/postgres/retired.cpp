// C functions that the SQL of older versions declares and this one does not have: without their names the install
// scripts of those versions, which upgrades begin with, could not be run. They left with 0.2.0.
#include "postgres/boundary.hpp"

namespace {

[[noreturn]] void refuse() {
  throw raceway::postgres::SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "this function is of an older version of raceway",
                                    "", "ALTER EXTENSION raceway UPDATE;");
}

}  // namespace

RACEWAY_FUNCTION(raceway_sweep_traces) {
  refuse();
}

RACEWAY_FUNCTION(raceway_delete_ended_traces) {
  refuse();
}
