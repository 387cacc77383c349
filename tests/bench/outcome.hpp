// What a load reports.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace raceway::bench {

struct Outcome {
  std::uint64_t events = 0;        ///< sent and answered
  std::uint64_t stored = 0;        ///< as far as the answers say
  std::uint64_t duplicates = 0;    ///< the same
  std::uint64_t rejected = 0;      ///< the same
  double seconds = 0;              ///< from the first byte sent to the last answer; nothing is prepared in this time
  double preparation_seconds = 0;  ///< of what has to stand before: COPY's trace rows; else 0
  std::vector<double> latencies_millis;       ///< of each request
  std::map<std::string, std::uint64_t> ways;  ///< how many bodies raceway.ingest wrote in which way

  void add(const Outcome& other) {
    events += other.events;
    stored += other.stored;
    duplicates += other.duplicates;
    rejected += other.rejected;
    for (const auto& [way, bodies] : other.ways) ways[way] += bodies;
    latencies_millis.insert(latencies_millis.end(), other.latencies_millis.begin(), other.latencies_millis.end());
  }
};

}  // namespace raceway::bench
