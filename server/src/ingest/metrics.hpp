// What /metrics shows of events on their way in.
#pragma once

#include "ingest/ingestor.hpp"
#include "observability/families.hpp"

namespace raceway::server::ingest {

void append_metrics(observability::Families& families, const Ingestor& ingestor);

}  // namespace raceway::server::ingest
