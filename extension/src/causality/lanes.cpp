#include "causality/lanes.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace raceway::causality {

Lanes::Lanes(const HappenedBefore& happened)
    : happened_(happened),
      group_of_origin_(happened.events().origins().size(), none),
      lane_of_line_(happened.lines(), none) {}

std::uint32_t Lanes::group_of(std::uint32_t event) {
  std::uint32_t& known = group_of_origin_[happened_.events()[event].origin];
  if (known != none) return known;
  const auto& origin = happened_.events().origin(event);
  const Lane name = {ProcessName::of(origin), origin.thread, 0};
  const auto [found, is_new] = group_numbers_.try_emplace(name, static_cast<std::uint32_t>(groups_.size()));
  if (is_new) groups_.push_back({name});
  return known = found->second;
}

bool Lanes::can_follow(const Step& step, std::uint32_t lane) const {
  return !rows_[lane].taken && step.follows(happened_.spot(rows_[lane].last));
}

/// The one component that no event before has had so high: whoever keeps clocks counts in its own for each event. 0
/// where there is not one.
std::uint32_t Lanes::counted_component(std::uint32_t event) {
  std::uint32_t counted = 0;
  std::size_t risen = 0;
  for (const auto& entry : happened_.events().clock(event)) {
    if (highest_.size() <= entry.component) highest_.resize(entry.component + std::size_t{1});
    if (highest_[entry.component] >= entry.counter()) continue;
    highest_[entry.component] = entry.counter();
    counted = entry.component;
    ++risen;
  }
  return risen == 1 ? counted : 0;
}

std::uint32_t Lanes::choose(const Step& step, std::uint32_t group, std::uint32_t component) {
  auto& tried = groups_[group].first_lanes;
  const auto counts_the_same = [&](std::uint32_t lane) {
    return rows_[lane].component == component && can_follow(step, lane);
  };
  if (component != 0) {
    const auto same = std::ranges::find_if(tried, counts_the_same);
    if (same != tried.end()) return *same;
  }
  const std::uint32_t of_line = lane_of_line_[step.spot.line];
  if (of_line != none && rows_[of_line].group == group && can_follow(step, of_line)) return of_line;
  const auto found = std::ranges::find_if(tried, [&](std::uint32_t lane) { return can_follow(step, lane); });
  if (found != tried.end()) return *found;
  const std::uint32_t lane = size();
  rows_.push_back({group, groups_[group].rows++, none, false});
  if (tried.size() < rows_to_try) tried.push_back(lane);
  return lane;
}

std::uint32_t Lanes::add(const Step& step) {
  const std::uint32_t line = step.spot.line;
  const bool is_strand = line < happened_.strands().size();
  const bool line_goes_on = step.spot.position < happened_.line(line).size();
  const std::uint32_t group = group_of(step.event);
  const std::uint32_t component = is_strand ? 0 : counted_component(step.event);
  const bool continues = is_strand && step.spot.position > 1;
  const std::uint32_t lane = continues ? lane_of_line_[line] : choose(step, group, component);
  lane_of_line_[line] = lane;
  Row& row = rows_[lane];
  row.taken = is_strand && line_goes_on;
  row.last = step.event;
  row.component = component;
  goes_on_ = line_goes_on || (groups_[group].name.thread == 0 && row.row < rows_to_try);
  return lane;
}

std::vector<Lane> Lanes::sorted(std::vector<std::uint32_t>& place_of_lane) const {
  // Groups are numbered as they appear.
  std::map<std::uint32_t, std::uint32_t> first_of_service;
  std::map<ProcessName, std::uint32_t> first_of_process;
  for (std::uint32_t group = 0; group < groups_.size(); ++group) {
    first_of_service.try_emplace(groups_[group].name.process.service, group);
    first_of_process.try_emplace(groups_[group].name.process, group);
  }
  std::vector<std::uint32_t> by_name(rows_.size());
  std::iota(by_name.begin(), by_name.end(), 0U);
  std::ranges::sort(by_name, {}, [&](std::uint32_t lane) {
    const ProcessName& process = groups_[rows_[lane].group].name.process;
    return std::tuple(first_of_service.at(process.service), first_of_process.at(process), rows_[lane].group,
                      rows_[lane].row);
  });
  std::vector<Lane> lanes;
  place_of_lane.assign(rows_.size(), 0);
  for (const std::uint32_t lane : by_name) {
    place_of_lane[lane] = static_cast<std::uint32_t>(lanes.size());
    lanes.push_back(groups_[rows_[lane].group].name);
    lanes.back().row = rows_[lane].row;
  }
  return lanes;
}

}  // namespace raceway::causality
