// What of one trace counts in answers about all of them: small, and a function of the trace's events alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "analysis/trace_analysis.hpp"
#include "causality/calls.hpp"
#include "causality/names.hpp"
#include "causality/races.hpp"

namespace raceway::server::analysis {

inline constexpr std::int64_t nanos_in_a_microsecond = 1000;
inline constexpr double micros_in_a_millisecond = 1000;

/// An exact sum of durations, in whole microseconds, from which others can be taken out again.
struct DurationSums {
  __extension__ using Wide = unsigned __int128;

  std::uint64_t count = 0;
  Wide sum = 0;
  Wide squares = 0;

  void add(std::uint64_t micros);
  void add(const DurationSums& other);
  void take_out(const DurationSums& other);
  double mean_micros() const;
  /// Of the whole population.
  double deviation_micros() const;
};

/// Names are numbers of one Names for all digests.
struct TraceDigest {
  struct Service {
    std::uint32_t name;
    std::uint64_t events;
    std::int64_t last_seen;  ///< micros
    DurationSums durations;
  };
  struct Variable {
    std::uint32_t name;
    causality::AccessCounts accesses;
    std::uint64_t write_write;  ///< races within the trace
    std::uint64_t read_write;
    std::vector<std::uint32_t> threads;
    std::vector<std::uint32_t> services;
    std::vector<causality::Access> access_types;
  };
  struct Operation {
    std::uint32_t service;
    std::uint32_t name;
    DurationSums durations;
  };
  struct Kind {
    std::uint32_t name;
    std::uint64_t count;
    DurationSums durations;
  };
  struct Places {
    std::uint32_t variable, site1, site2;
    causality::Access access1, access2;
    causality::RaceClass race_class;  ///< the most severe
    std::uint64_t races;
    std::string event1_id, event2_id;
  };

  std::vector<Service> services;
  std::vector<Variable> variables;
  std::vector<Operation> operations;
  std::vector<Kind> kinds;
  std::vector<causality::Calls> calls;
  std::vector<Places> places;
  std::size_t bytes() const;
};

TraceDigest digest_of(TraceAnalysis& trace, causality::Names& names);

}  // namespace raceway::server::analysis
