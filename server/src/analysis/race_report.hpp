// Races as JSON: those of the HTTP contract, and with what shows that they are some.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/trace_analysis.hpp"
#include "causality/explain.hpp"
#include "causality/races.hpp"

namespace raceway::server::analysis {

/// The HTTP contract's sentence on a race of two writes, or of a read and a write.
std::string race_description(bool both_write, std::string_view variable);

/// The races of a trace as the trace's view shows them.
struct RaceReport {
  std::uint64_t races = 0;  ///< all there are
  std::string details;      ///< JSON, a list of the first of them
  std::string lines;        ///< JSON, a list of lines for people
};

/// Lists up to `most`, worst first.
RaceReport report_races(TraceAnalysis& trace, std::size_t most);

/// What contradicts itself in the trace, as a JSON object of counts; empty where nothing does.
std::string warnings_json(const causality::HappenedBefore::Warnings& warnings);

}  // namespace raceway::server::analysis
