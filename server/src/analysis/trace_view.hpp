// What the API shows of a trace beside its events, each part as JSON.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "analysis/trace_analysis.hpp"
#include "causality/audit_trail.hpp"

namespace raceway::server::analysis {

/// Takes the next piece of an answer; false once nobody wants more.
using Write = std::function<bool(std::string_view)>;

/// {"trace_id":..,"path_events":..,..}, or null for a trace without events.
std::string critical_path_json(TraceAnalysis& trace, std::string_view trace_id);

/// {"trace_id":..,"services":[..],"dependencies":[..]}
std::string dependencies_json(const TraceAnalysis& trace, std::string_view trace_id);

/// Writes the accesses of a trail, one behind the other with commas between.
bool write_accesses(TraceAnalysis& trace, const causality::AuditTrail& trail, const Write& write);

/// Writes trails as the members of an object, by variable. Reads the events once for some thousands of accesses.
bool write_trails(TraceAnalysis& trace, std::span<const causality::AuditTrail> trails, const Write& write);

/// How `a` and `b` stand to each other, and why: a shortest chain of reasons from the one to the other, or the last
/// event that both of them know of and the chains from there. Nothing where the trace lacks one of the two.
std::optional<std::string> relation_json(TraceAnalysis& trace, std::string_view a, std::string_view b);

/// The parts of GET /api/traces/:id behind the events: what is counted and listed is worked out at once, the audit
/// trails are written as they are sent.
class TraceView {
 public:
  /// `with_trails` false leaves the trails empty; `anomalies` is a JSON list. Refers to the trace.
  TraceView(TraceAnalysis& trace, std::string_view trace_id, std::string_view anomalies, bool with_trails);

  /// ,"audit_trails":{..},"analysis":{..},.. to the end of the object, without its brace.
  bool write(const Write& write);

 private:
  TraceAnalysis& trace_;
  std::vector<causality::AuditTrail> trails_;
  std::string rest_;
};

}  // namespace raceway::server::analysis
