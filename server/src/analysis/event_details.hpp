// What people are shown of an event, read again from its row when it is needed.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analysis/trace_analysis.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::analysis {

struct EventDetails {
  std::string id;
  std::string service;
  std::string thread;
  std::string location;   ///< of a request its url; "unknown" where nothing tells it
  std::string kind;       ///< with what it is about, as the HTTP contract spells it: FunctionCall(f), StateChange(v) ..
  std::string access;     ///< of a change of state: Read, Write ..
  std::string old_value;  ///< JSON; empty where it has none
  std::string new_value;
  wire::Timestamp time;

  bool reads() const { return access == "Read" || access == "AtomicRead"; }
};

/// Calls `visit` for each of the events in that order; ends early where it answers false, and answers whether it did
/// not.
bool each_details(TraceAnalysis& trace, std::span<const std::uint32_t> events,
                  const std::function<bool(const EventDetails&)>& visit);

std::vector<EventDetails> read_details(TraceAnalysis& trace, std::span<const std::uint32_t> events);

}  // namespace raceway::server::analysis
