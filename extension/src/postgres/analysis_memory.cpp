#include "postgres/analysis_memory.hpp"

namespace raceway::postgres {

int max_analysis_bytes = default_max_analysis_bytes;

void AnalysisMemory::check() const {
  const auto most = static_cast<std::size_t>(max_analysis_bytes);
  if (kept_ + used_ + used_beside_ <= most) return;
  throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                 "the analysis of trace \"" + trace_ + "\" needs more memory than raceway.max_analysis_bytes allows (" +
                     std::to_string(most) + ")",
                 {}, "Let a superuser raise raceway.max_analysis_bytes.");
}

}  // namespace raceway::postgres
