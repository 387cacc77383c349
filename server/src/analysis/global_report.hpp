// Answers about all traces, as JSON. An answer that is not from all of them says so: pending_traces, as_of.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "analysis/roll_ups.hpp"

namespace raceway::server::analysis {

/// Appends how much is missing, and when the rest was read.
void append_as_of(std::string& json, const RolledUp& rolled_up);

/// Races within traces and between them: exact counts, and the first hundred.
std::string global_json(const RolledUp& rolled_up, storage::Storage& storage, storage::ByteBudget& budget);
/// Variables that several traces or threads touch.
std::string shared_variables_json(const RolledUp& rolled_up, std::uint64_t limit);
std::string hotspots_json(const RolledUp& rolled_up);
std::string edges_json(const RolledUp& rolled_up);
/// A list, of services with a trace that ended within the window.
std::string services_health_json(const RolledUp& rolled_up, std::chrono::minutes window);
std::string service_dependencies_json(const RolledUp& rolled_up, std::string_view service);
std::string performance_json(const RolledUp& rolled_up, std::uint64_t limit);

/// Races within traces by pairs of places: `limit` of them behind the first `skipped`.
std::string races_json(const RolledUp& rolled_up, std::uint64_t skipped, std::uint64_t limit);
/// One of them, with an example of each of the newest traces that it is in; empty where there is none of that key.
std::string races_of_key_json(const RolledUp& rolled_up, std::string_view key);

struct Anomalies {
  std::size_t count = 0;
  std::string list = "[]";  ///< JSON
};

/// Whether any event of the trace tells how long it took: else there is nothing to ask all traces for.
bool tells_durations(const TraceAnalysis& trace);

/// Durations of a trace's events that are far from those of other traces.
Anomalies find_anomalies(const RolledUp& rolled_up, TraceAnalysis& trace, std::string_view trace_id);

}  // namespace raceway::server::analysis
