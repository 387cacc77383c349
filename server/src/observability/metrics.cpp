#include "observability/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <locale>
#include <sstream>

#include "observability/process_figures.hpp"

namespace raceway::server::observability {

std::string Metrics::text() const {
  Families families;
  add_gauge(
      append_family(families, "raceway_build_info", "1; its labels say what runs.", prometheus::MetricType::Gauge), 1,
      {{"backend", backend_}, {"version", RACEWAY_VERSION}});
  for (const auto& source : sources_) source(families);
  append_process_figures(families);
  std::ostringstream out;
  out.imbue(std::locale::classic());
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace raceway::server::observability
