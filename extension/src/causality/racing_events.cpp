#include "causality/racing_events.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace raceway::causality {
namespace {

constexpr std::uint64_t most_steps = 200'000'000;

/// The accesses of one line that are the same in access and locks.
struct LineAccesses {
  std::uint32_t line;
  std::vector<std::uint32_t> positions = {};
  std::vector<std::uint32_t> unmarked = {};  // of them
};

/// Accesses that conflict with the same others.
struct Alike {
  std::uint32_t example;
  std::vector<LineAccesses> lines = {};  // by line
};

/// The accesses to one variable, as they come.
class VariableAccesses {
 public:
  VariableAccesses(const HappenedBefore& happened, const LockSets& locks) : happened_(happened), locks_(locks) {}

  /// Finds those before that it races with; answers how many steps it took.
  std::uint64_t add(const Step& step, RacingEvents& found, std::size_t most_pairs) {
    const std::size_t own = number_of(step.event);
    const std::uint64_t pairs_before = found.pairs;
    const std::size_t listed_before = found.first.size();
    std::uint64_t steps = 1;
    for (std::size_t other = 0; other < alike_.size(); ++other) {
      const auto race_class = conflict(own, other);
      if (!race_class) continue;
      find_racing(alike_[other], step, *race_class, found, listed_before < most_pairs);
      steps += alike_[other].lines.size() + step.heard.size();
    }
    std::ranges::sort(found.first.begin() + static_cast<std::ptrdiff_t>(listed_before), found.first.end(), {},
                      [&](const RacingEvents::Pair& pair) { return happened_.place(pair.earlier); });
    if (found.first.size() > most_pairs) found.first.resize(most_pairs);
    const bool races = found.pairs > pairs_before;
    if (races) found.is_racing[step.event] = true;
    return steps + note(alike_[own], step, races);
  }

 private:
  std::size_t number_of(std::uint32_t event) {
    const auto key = std::tuple(happened_.events()[event].access, is_unknown(happened_, event), locks_.of(event));
    const auto [found, is_new] = numbers_.try_emplace(key, alike_.size());
    if (is_new) alike_.push_back({event});
    return found->second;
  }

  std::optional<RaceClass> conflict(std::size_t a, std::size_t b) {
    const auto [found, is_new] = conflicts_.try_emplace({std::min(a, b), std::max(a, b)});
    if (is_new) {
      found->second = class_if_unordered(happened_, locks_, alike_[a].example, alike_[b].example);
      if (found->second && !is_race(*found->second)) found->second.reset();
    }
    return found->second;
  }

  void find_racing(Alike& alike, const Step& step, RaceClass race_class, RacingEvents& found, bool is_listed) {
    auto heard = step.heard.begin();
    for (LineAccesses& of_line : alike.lines) {
      while (heard != step.heard.end() && heard->line < of_line.line) ++heard;
      if (of_line.line == step.spot.line) continue;
      const std::uint32_t known = heard != step.heard.end() && heard->line == of_line.line ? heard->position : 0;
      const auto& positions = of_line.positions;
      if (positions.back() <= known) continue;
      const auto from = static_cast<std::size_t>(std::ranges::upper_bound(positions, known) - positions.begin());
      found.pairs += positions.size() - from;
      for (auto& unmarked = of_line.unmarked; !unmarked.empty() && unmarked.back() > known; unmarked.pop_back())
        found.is_racing[happened_.at({of_line.line, unmarked.back()})] = true;
      for (std::size_t i = from; is_listed && i < positions.size(); ++i)
        found.first.push_back({happened_.at({of_line.line, positions[i]}), step.event, race_class});
    }
  }

  static std::uint64_t note(Alike& alike, const Step& step, bool is_marked) {
    auto at = std::ranges::lower_bound(alike.lines, step.spot.line, {}, &LineAccesses::line);
    const bool is_new = at == alike.lines.end() || at->line != step.spot.line;
    const auto moved = is_new ? static_cast<std::uint64_t>(alike.lines.end() - at) : 0;
    if (is_new) at = alike.lines.insert(at, {step.spot.line});
    at->positions.push_back(step.spot.position);
    if (!is_marked) at->unmarked.push_back(step.spot.position);
    return moved;
  }

  const HappenedBefore& happened_;
  const LockSets& locks_;
  std::map<std::tuple<Access, bool, std::uint32_t>, std::size_t> numbers_;
  std::map<std::pair<std::size_t, std::size_t>, std::optional<RaceClass>> conflicts_;
  std::vector<Alike> alike_;
};

}  // namespace

RacingEvents racing_events(const HappenedBefore& happened, const LockSets& locks, std::size_t most_pairs) {
  const EventTable& events = happened.events();
  RacingEvents found;
  found.is_racing.resize(events.size());
  std::map<std::uint32_t, VariableAccesses> variables;
  std::uint64_t steps = 0;
  happened.walk([&](const Step& step) {
    const auto& event = events[step.event];
    if (event.access == Access::no_access || event.subject == 0) return true;
    found.complete = steps < most_steps;
    if (!found.complete) return false;
    const auto at = variables.try_emplace(event.subject, happened, locks).first;
    steps += at->second.add(step, found, most_pairs);
    return true;
  });
  return found;
}

}  // namespace raceway::causality
