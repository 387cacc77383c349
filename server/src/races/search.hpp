// The races of all traces that were read, by pairs of places in the program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/event_details.hpp"
#include "causality/races.hpp"
#include "memory/memory_storage.hpp"
#include "races/options.hpp"
#include "races/suppressions.hpp"

namespace raceway::server::races {

/// One pair of events that shows a race.
struct Example {
  std::string trace_id;
  causality::RaceClass race_class = causality::RaceClass::write_write;
  causality::Sharing sharing = causality::Sharing::process;
  analysis::EventDetails one = {};  ///< the earlier one in the trace's order
  analysis::EventDetails two = {};
  std::optional<analysis::EventDetails> last_common = {};  ///< the last event that both know of
};

/// Two places whose accesses race, the smaller (place, access) first. The same place may race with itself.
struct RacingPlaces {
  std::string variable;
  std::string site1;
  std::string access1;
  std::string site2;
  std::string access2;
  std::uint64_t pairs = 0;
  std::uint64_t guarded = 0;  ///< pairs of the same places that a common lock keeps apart
  std::uint64_t traces = 0;
  Example example = {};  ///< of the most severe class

  bool is_critical() const { return example.race_class == causality::RaceClass::write_write; }
};

struct Search {
  std::uint64_t traces = 0;
  std::uint64_t events = 0;
  std::uint64_t critical = 0;  ///< pairs
  std::uint64_t warnings = 0;
  std::uint64_t suppressed = 0;      ///< pairs of places
  std::vector<RacingPlaces> places;  ///< critical ones first, then by more pairs, by variable and places
};

/// `suppressions` learn which of them matched.
Search search(memory::MemoryStorage& storage, const RacesOptions& options, Suppressions& suppressions);

/// "balance" at "bank.js:12" and "bank.js:45": the same whoever came first, and in each run.
std::string signature_of(const RacingPlaces& places);

}  // namespace raceway::server::races
