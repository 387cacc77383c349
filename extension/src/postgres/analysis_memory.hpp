// How much memory the analysis of a trace may take.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "postgres/boundary.hpp"

namespace raceway::postgres {

inline constexpr int default_max_analysis_bytes = 256 << 20;

/// raceway.max_analysis_bytes, set by the administrator of the database.
extern int max_analysis_bytes;

/// What one analysis takes of the heap, by its own account: the heap is not PostgreSQL's, so nobody else counts it.
/// They throw SqlError where that is more than is allowed.
class AnalysisMemory {
 public:
  explicit AnalysisMemory(std::string_view trace) : trace_(trace) {}

  /// All that stays as long as the analysis does.
  void keep(std::size_t bytes) {
    kept_ = bytes;
    check();
  }
  /// What it takes besides, for now: to walk through the trace, and for what is worked out on the way.
  void use(std::size_t bytes) {
    used_ = bytes;
    check();
  }
  void use_beside(std::size_t bytes) {
    used_beside_ = bytes;
    check();
  }

 private:
  void check() const;

  std::string trace_;
  std::size_t kept_ = 0;
  std::size_t used_ = 0;
  std::size_t used_beside_ = 0;
};

}  // namespace raceway::postgres
