// The transitive reduction of happened-before across lanes, found while events are put into them.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "causality/diagram.hpp"

namespace raceway::causality {

/// What events have heard of, each kept for as long as somebody holds it; those that have heard of the same share it.
class KeptClocks {
 public:
  using Clock = std::shared_ptr<const std::vector<Heard>>;

  explicit KeptClocks(const Allowed& allowed) : allowed_(allowed) {}

  /// Outlives what it answers.
  Clock keep(const Step& step);
  /// Tells of them and of so much beside, where that is a good deal more than the last time.
  void tell(std::size_t beside);

 private:
  static std::size_t bytes_of(const std::vector<Heard>& clock);

  const Allowed& allowed_;
  std::unordered_map<std::uint32_t, std::weak_ptr<const std::vector<Heard>>> by_version_;
  std::size_t bytes_ = 0;
  std::size_t told_ = 0;
};

/// Used by draw() alone: fills in lanes and causes of the first `events` events. An event's candidates are what it has
/// heard of and the event before it in its lane has not; those are its causes that no other one has heard of.
class Reduction {
 public:
  Reduction(const HappenedBefore& happened, std::uint32_t events);

  void put_into_lanes(Diagram& diagram);
  /// Behind put_into_lanes().
  void find_causes(Diagram& diagram);

 private:
  struct Candidate {
    std::uint32_t event;
    std::uint32_t place;
  };
  /// The latest event of a lane, and what it has heard of, where another one may follow.
  struct Latest {
    KeptClocks::Clock clock;
    std::uint32_t version = 0;
    std::uint32_t event = none;
  };

  void pass(const Step& step, std::uint32_t lane, bool lane_goes_on);
  void find_candidates(const Step& step, const Latest& latest);
  void find_news(const Step& step, const Latest& latest);
  void consider(Spot spot, const Latest& latest);
  void add_candidate(std::uint32_t event);
  bool knows(const Latest& latest, Spot spot) const;
  void drop_candidates_that_others_follow();
  bool hear(Spot spot);

  const HappenedBefore& happened_;
  const std::uint32_t events_;
  KeptClocks clocks_;
  std::vector<Latest> latest_;            // by lane
  std::vector<std::uint32_t> lane_of_;    // by place
  std::vector<bool> goes_on_;             // by place: its lane does
  std::vector<std::uint32_t> needed_by_;  // by event
  std::vector<KeptClocks::Clock> clock_of_;
  std::vector<Candidate> candidates_;      // of the event that passes
  std::vector<std::uint32_t> heard_upto_;  // by line, of the candidates that stay
  std::vector<std::uint32_t> heard_lines_;
  std::uint64_t steps_ = 0;
  std::uint32_t end_ = 0;  // causes are looked for up to this place
};

}  // namespace raceway::causality
