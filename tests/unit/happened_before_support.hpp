// Traces for the tests of the analysis: told in a few words, or drawn at random.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "causality/event_table.hpp"
#include "causality/happened_before.hpp"

namespace raceway::causality {

/// An event that owns what EventFacts only refers to.
struct Fact {
  std::string id;
  std::string parent = {};
  std::int64_t time = 0;
  std::string service = {};
  std::string instance = {};
  std::string thread = {};
  std::string span = {};
  std::string upstream = {};
  Kind kind = Kind::other;
  std::string subject = {};
  Access access = Access::no_access;
  std::string location = {};
  std::vector<std::pair<std::string, Counter>> clock = {};
  std::int64_t duration_nanos = -1;
  bool shared_lock = false;
  std::vector<std::string> links = {};
};

using Facts = std::vector<Fact>;

/// The table of some facts, in the order in which they stand. Ids are told apart by their place among all, sorted.
EventTable table_of(const Facts& facts);

/// Facts and what follows from them. Events are named by their ids.
class Told {
 public:
  explicit Told(Facts facts);

  EventTable table;
  HappenedBefore happened;

  std::uint32_t rank(const std::string& id) const;
  const std::string& id(std::uint32_t rank) const { return facts_[table[rank].place].id; }
  /// before, after, equal or concurrent.
  std::string relation(const std::string& a, const std::string& b) const;
  std::vector<std::string> order() const;

 private:
  Facts facts_;
};

/// For each pair of ranks whether the first happened before the second, as one walk tells it.
std::vector<std::vector<bool>> relation_of(const HappenedBefore& happened);

/// Any few events, as contradictory as it comes: unknown parents and links, cycles, spans in circles, clocks of both
/// kinds, locks.
Facts any_facts(int most_events);
/// The same, and most of them took some time.
Facts any_lasting_facts(int most_events);

}  // namespace raceway::causality
