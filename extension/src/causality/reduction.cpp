#include "causality/reduction.hpp"

#include <algorithm>
#include <utility>

namespace raceway::causality {
namespace {

// Equal clocks by the thousand, each followed by as many others, would ask for the square of them.
constexpr std::size_t most_causes = 2'000'000;
constexpr std::uint64_t most_steps = 400'000'000;
constexpr std::uint64_t steps_a_candidate = 8;
constexpr std::size_t step_of_memory = std::size_t{1} << 20U;
constexpr std::size_t bytes_an_event = 48;

/// The reasons of the edges to each event.
class ReasonsOfEdges {
 public:
  explicit ReasonsOfEdges(const HappenedBefore& happened) : begin_(happened.events().size() + std::size_t{1}) {
    const auto edges = happened.edges();
    for (const CausalEdge& edge : edges) ++begin_[edge.to + std::size_t{1}];
    for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    auto free = begin_;
    edges_.resize(edges.size());
    for (const CausalEdge& edge : edges) edges_[free[edge.to]++] = {edge.from, edge.reason};
    for (std::size_t to = 0; to + 1 < begin_.size(); ++to)
      std::sort(edges_.begin() + begin_[to], edges_.begin() + begin_[to + 1]);
  }

  /// The most trusted one; that of clocks where there is no such edge.
  Reason of(std::uint32_t from, std::uint32_t to) const {
    const auto end = edges_.begin() + begin_[to + std::size_t{1}];
    const auto at = std::lower_bound(edges_.begin() + begin_[to], end, std::pair(from, Reason{}));
    return at != end && at->first == from ? at->second : Reason::clock;
  }

 private:
  std::vector<std::uint32_t> begin_;
  std::vector<std::pair<std::uint32_t, Reason>> edges_;
};

}  // namespace

std::size_t KeptClocks::bytes_of(const std::vector<Heard>& clock) {
  constexpr std::size_t of_an_entry = 128;  // of the table, with its blocks
  return clock.size() * sizeof(Heard) + of_an_entry;
}

KeptClocks::Clock KeptClocks::keep(const Step& step) {
  auto& known = by_version_[step.version];
  if (auto clock = known.lock()) return clock;
  const auto forget = [this, version = step.version](const std::vector<Heard>* going) {
    bytes_ -= bytes_of(*going);
    by_version_.erase(version);
    delete going;
  };
  Clock clock(new std::vector<Heard>(step.heard.begin(), step.heard.end()), forget);
  bytes_ += bytes_of(*clock);
  known = clock;
  return clock;
}

void KeptClocks::tell(std::size_t beside) {
  if (bytes_ + beside <= told_ + step_of_memory) return;
  told_ = bytes_ + beside;
  allowed_.memory_beside(told_);
}

Reduction::Reduction(const HappenedBefore& happened, std::uint32_t events)
    : happened_(happened),
      events_(events),
      clocks_(happened.allowed()),
      needed_by_(happened.events().size()),
      clock_of_(happened.events().size()),
      heard_upto_(happened.lines()) {
  lane_of_.reserve(events);
  goes_on_.reserve(events);
}

bool Reduction::knows(const Latest& latest, Spot spot) const {
  if (latest.event == none) return false;
  const Spot own = happened_.spot(latest.event);
  if (own.line == spot.line) return spot.position <= own.position;
  const auto at = std::ranges::lower_bound(*latest.clock, spot.line, {}, &Heard::line);
  return at != latest.clock->end() && at->line == spot.line && at->position >= spot.position;
}

void Reduction::consider(Spot spot, const Latest& latest) {
  ++steps_;
  if (!knows(latest, spot)) add_candidate(happened_.at(spot));
}

void Reduction::add_candidate(std::uint32_t event) {
  steps_ += steps_a_candidate;
  candidates_.push_back({event, happened_.place(event)});
}

/// Where no clock stands between the event and those that it follows, they alone can be its causes.
void Reduction::find_candidates(const Step& step, const Latest& latest) {
  candidates_.clear();
  const bool follows_previous = latest.event != none && happened_.spot(latest.event).line == step.spot.line &&
                                happened_.spot(latest.event).position + 1 == step.spot.position;
  if (follows_previous && latest.version == step.version) return;
  if (!follows_previous && step.spot.position > 1) consider({step.spot.line, step.spot.position - 1}, latest);
  const auto before = happened_.incoming().successors(step.event);
  const auto is_event = [&](std::uint32_t node) { return happened_.constraints().is_event(node); };
  if (std::ranges::all_of(before, is_event)) {
    for (const std::uint32_t event : before) {
      if (happened_.spot(event).line != step.spot.line) consider(happened_.spot(event), latest);
    }
    return;
  }
  find_news(step, latest);
}

/// All that is heard of and was not known, both by rising line.
void Reduction::find_news(const Step& step, const Latest& latest) {
  steps_ += step.heard.size();
  const Spot own = latest.event == none ? Spot{} : happened_.spot(latest.event);
  const std::span<const Heard> known = latest.event == none ? std::span<const Heard>() : std::span(*latest.clock);
  auto at = known.begin();
  for (const Heard& heard : step.heard) {
    if (heard.line == step.spot.line) continue;
    while (at != known.end() && at->line < heard.line) ++at;
    std::uint32_t upto = at != known.end() && at->line == heard.line ? at->position : 0;
    if (heard.line == own.line) upto = own.position;
    if (heard.position > upto) add_candidate(happened_.at({heard.line, heard.position}));
  }
}

/// Calls find_candidates() for the event, and notes that it is now the latest of its lane.
void Reduction::pass(const Step& step, std::uint32_t lane, bool lane_goes_on) {
  if (latest_.size() <= lane) latest_.resize(lane + std::size_t{1});
  Latest& latest = latest_[lane];
  find_candidates(step, latest);
  latest = {lane_goes_on ? clocks_.keep(step) : nullptr, step.version, lane_goes_on ? step.event : none};
}

void Reduction::put_into_lanes(Diagram& diagram) {
  Lanes lanes(happened_);
  happened_.walk([&](const Step& step) {
    if (lane_of_.size() == events_) return false;
    lane_of_.push_back(lanes.add(step));
    goes_on_.push_back(lanes.goes_on());
    if (steps_ > most_steps) return true;
    pass(step, lane_of_.back(), goes_on_.back());
    for (const Candidate& candidate : candidates_) ++needed_by_[candidate.event];
    clocks_.tell(events_ * bytes_an_event);
    end_ = static_cast<std::uint32_t>(lane_of_.size());
    return true;
  });
  latest_.clear();
  std::vector<std::uint32_t> place_of_lane;
  diagram.lanes = lanes.sorted(place_of_lane);
  diagram.lane.reserve(events_);
  for (const std::uint32_t lane : lane_of_) diagram.lane.push_back(place_of_lane[lane]);
}

bool Reduction::hear(Spot spot) {
  std::uint32_t& upto = heard_upto_[spot.line];
  if (upto >= spot.position) return false;
  if (upto == 0) heard_lines_.push_back(spot.line);
  upto = spot.position;
  return true;
}

/// A later one may have heard of an earlier one, never the other way round.
void Reduction::drop_candidates_that_others_follow() {
  if (candidates_.size() < 2) return;
  std::ranges::sort(candidates_, std::ranges::greater{}, &Candidate::place);
  std::erase_if(candidates_, [&](const Candidate& candidate) {
    const Spot spot = happened_.spot(candidate.event);
    if (!hear(spot)) return true;
    for (const Heard& heard : *clock_of_[candidate.event]) {
      if (heard.line != spot.line) hear({heard.line, heard.position});
    }
    steps_ += clock_of_[candidate.event]->size();
    return false;
  });
  for (const std::uint32_t line : heard_lines_) heard_upto_[line] = 0;
  heard_lines_.clear();
}

void Reduction::find_causes(Diagram& diagram) {
  const ReasonsOfEdges reasons(happened_);
  std::uint32_t place = 0;
  steps_ = 0;
  diagram.cause_begin.assign(1, 0);
  happened_.walk([&](const Step& step) {
    if (place == end_ || steps_ > most_steps || diagram.causes.size() > most_causes) return false;
    pass(step, lane_of_[place], goes_on_[place]);
    ++place;
    const auto candidates = candidates_;
    drop_candidates_that_others_follow();
    std::ranges::sort(candidates_, {}, &Candidate::place);
    for (const Candidate& cause : candidates_)
      diagram.causes.push_back({cause.place, reasons.of(cause.event, step.event)});
    diagram.cause_begin.push_back(static_cast<std::uint32_t>(diagram.causes.size()));
    for (const Candidate& candidate : candidates) {
      if (--needed_by_[candidate.event] == 0) clock_of_[candidate.event] = nullptr;
    }
    if (needed_by_[step.event] > 0) clock_of_[step.event] = clocks_.keep(step);
    clocks_.tell(events_ * bytes_an_event + diagram.causes.capacity() * sizeof(Cause));
    return true;
  });
  diagram.all_causes = place == events_;
  diagram.cause_begin.resize(events_ + std::size_t{1}, diagram.cause_begin.back());
}

}  // namespace raceway::causality
