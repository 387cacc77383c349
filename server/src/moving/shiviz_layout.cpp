#include "moving/shiviz_layout.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "causality/clock.hpp"
#include "causality/clock_algebra.hpp"

namespace raceway::server::moving {
namespace {

using Index = std::uint32_t;
using Indices = std::vector<Index>;

causality::SpanCursor cursor(const ShownEvent& shown) {
  const auto clock = shown.event.clock;
  return {clock.data(), clock.data() + clock.size()};
}

class Arrangement {
 public:
  explicit Arrangement(std::span<const ShownEvent> events) : events_(events) {}
  ShivizLayout run();

 private:
  /// A sequence of events, those with clocks by these.
  struct Line {
    std::string_view component;  // empty: its events have no clocks
    Indices clocked;
    Indices others;
    Indices all;            // once both are merged
    Indices places;         // of the clocked ones in `all`
    std::string_view name;  // where there is no component, or it has more lines than this
  };

  using Counts = std::map<Index, std::size_t>;  // of other lines, how many of their events with clocks

  void rank_events();
  void draw_lines();
  void sort_by_clock(Indices& events) const;
  bool is_sequence(const Indices& events) const;
  void draw_line(Indices events);
  void draw_parts(const Indices& events);
  void place_others();
  void merge(Line& line);
  void name_lines();
  void hear(Index at, Index number, Counts& known) const;
  void count(const Line& line, Index number);
  void sort_places();

  causality::Order order_of(Index a, Index b) const { return compare(cursor(events_[a]), cursor(events_[b])); }
  bool may_follow(Index a, Index b) const {
    const auto order = order_of(a, b);
    return order == causality::Order::before || order == causality::Order::equal;
  }

  const std::span<const ShownEvent> events_;
  std::vector<std::uint32_t> rank_;  // by cause, then by time
  std::vector<causality::CounterSum> sums_;
  std::vector<Line> lines_;
  std::vector<Index> line_of_;                              // of each event with a clock
  std::map<std::string_view, Indices> lines_of_component_;  // numbers of lines
  ShivizLayout layout_;
};

void Arrangement::rank_events() {
  std::vector<causality::TraceEvent> nodes;
  for (const auto& shown : events_) nodes.push_back(shown.event);
  rank_.resize(nodes.size());
  std::uint32_t rank = 0;
  for (const auto index : causality::causal_order(nodes)) rank_[index] = rank++;
  for (const auto& shown : events_) sums_.push_back(causality::sum(cursor(shown)));
}

void Arrangement::draw_lines() {
  std::map<std::string_view, Indices> events_of;
  for (Index at = 0; at < events_.size(); ++at) {
    if (!events_[at].event.clock.empty()) events_of[events_[at].component].push_back(at);
  }
  line_of_.resize(events_.size());
  for (auto& [component, events] : events_of) {
    sort_by_clock(events);
    if (is_sequence(events)) {
      draw_line(std::move(events));
    } else {
      ++layout_.split;
      draw_parts(events);
    }
  }
}

/// An order that obeys the clocks.
void Arrangement::sort_by_clock(Indices& events) const {
  std::ranges::sort(events, [&](Index a, Index b) {
    if (sums_[a] != sums_[b]) return sums_[a] < sums_[b];
    const auto order = causality::compare_in_total_order(cursor(events_[a]), cursor(events_[b]));
    return order != 0 ? order < 0 : rank_[a] < rank_[b];
  });
}

bool Arrangement::is_sequence(const Indices& events) const {
  return std::ranges::adjacent_find(events, [&](Index a, Index b) { return !may_follow(a, b); }) == events.end();
}

void Arrangement::draw_line(Indices events) {
  const auto number = static_cast<Index>(lines_.size());
  for (const auto at : events) line_of_[at] = number;
  const auto& first = events_[events.front()];
  lines_of_component_[first.component].push_back(number);
  lines_.push_back({first.component, std::move(events), {}, {}, {}, first.strand_name});
}

/// By strand, as the events came about; where even that is no sequence, as few lines as the first that fits gives.
void Arrangement::draw_parts(const Indices& events) {
  std::map<std::string_view, Indices> parts;
  for (const auto at : events) parts[events_[at].strand].push_back(at);
  for (auto& [strand, part] : parts) {
    if (is_sequence(part)) {
      draw_line(std::move(part));
      continue;
    }
    std::vector<Indices> sequences;
    for (const auto at : part) {
      const auto fits = [&](const Indices& sequence) { return may_follow(sequence.back(), at); };
      const auto found = std::ranges::find_if(sequences, fits);
      (found == sequences.end() ? sequences.emplace_back() : *found).push_back(at);
    }
    for (auto& sequence : sequences) draw_line(std::move(sequence));
  }
}

/// Events without a clock go to the line of the event of their strand that stands before them, or else behind them.
void Arrangement::place_others() {
  std::map<std::string_view, std::map<std::uint32_t, Index>> lines_of_strand;  // by rank
  for (Index at = 0; at < events_.size(); ++at) {
    const auto& shown = events_[at];
    if (!shown.event.clock.empty() && !shown.strand.empty()) lines_of_strand[shown.strand][rank_[at]] = line_of_[at];
  }
  for (Index at = 0; at < events_.size(); ++at) {
    const auto& shown = events_[at];
    if (!shown.event.clock.empty()) continue;
    if (shown.strand.empty()) {
      ++layout_.left_out;
      continue;
    }
    ++layout_.placed;
    auto& lines = lines_of_strand[shown.strand];
    if (lines.empty()) {
      lines[0] = static_cast<Index>(lines_.size());
      lines_.push_back({{}, {}, {}, {}, {}, shown.strand_name});
    }
    const auto behind = lines.upper_bound(rank_[at]);
    const auto& near = behind == lines.begin() ? behind : std::prev(behind);
    lines_[near->second].others.push_back(at);
  }
  for (auto& line : lines_) merge(line);
}

void Arrangement::merge(Line& line) {
  std::ranges::sort(line.others, {}, [this](Index at) { return rank_[at]; });
  auto other = line.others.begin();
  for (std::size_t at = 0; at < line.clocked.size(); ++at) {
    while (other != line.others.end() && rank_[*other] < rank_[line.clocked[at]]) line.all.push_back(*other++);
    if (at > 0 && order_of(line.clocked[at - 1], line.clocked[at]) == causality::Order::equal) ++layout_.equal;
    line.places.push_back(static_cast<Index>(line.all.size()));
    line.all.push_back(line.clocked[at]);
  }
  line.all.insert(line.all.end(), other, line.others.end());
}

void Arrangement::name_lines() {
  std::set<std::string_view> ids;
  for (const auto& shown : events_) ids.insert(shown.event.id);
  std::set<std::string> taken;
  for (const auto& line : lines_) {
    // Some SDKs call a request's component by the id of its first event, which says nothing to people.
    const bool has_own = !line.component.empty() && (!ids.contains(line.component) || line.name.empty());
    std::string base(has_own ? line.component : line.name);
    const bool is_part = has_own && lines_of_component_[line.component].size() > 1;
    if (is_part && line.name.starts_with(base + '/')) {
      base = line.name;
    } else if (is_part && !line.name.empty() && line.name != base) {
      base += '/' + std::string(line.name);
    }
    std::string name = base;
    for (int number = 2; !taken.insert(name).second; ++number) name = base + '~' + std::to_string(number);
    layout_.names.push_back(std::move(name));
  }
}

/// Counts, of every other line, the events before one of the line `number`. They are the other's first ones, and no
/// fewer than were before the event before it. Nobody is before an event whose clock lacks his component.
void Arrangement::hear(Index at, Index number, Counts& known) const {
  for (const auto& component : events_[at].event.clock) {
    const auto others = lines_of_component_.find(component.name);
    if (others == lines_of_component_.end()) continue;
    for (const auto other : others->second) {
      if (other == number) continue;
      const auto& events = lines_[other].clocked;
      auto& before = known[other];
      while (before < events.size() && order_of(events[before], at) == causality::Order::before) ++before;
    }
  }
}

/// Gives the events of a line their clocks.
void Arrangement::count(const Line& line, Index number) {
  Counts known;
  auto clocked = line.places.begin();
  for (Index place = 0; place < line.all.size(); ++place) {
    const auto at = line.all[place];
    if (clocked != line.places.end() && *clocked == place) {
      ++clocked;
      hear(at, number, known);
    }
    ShivizLayout::Place placed{at, number, {}};
    for (const auto& [other, before] : known) {
      if (before > 0) placed.clock.push_back({other, lines_[other].places[before - 1] + std::uint64_t{1}});
    }
    placed.clock.push_back({number, place + std::uint64_t{1}});
    std::ranges::sort(placed.clock, {}, &ShivizLayout::Known::line);
    layout_.places.push_back(std::move(placed));
  }
}

void Arrangement::sort_places() {
  std::vector<std::vector<causality::Component>> clocks;
  std::vector<causality::TraceEvent> nodes;
  clocks.reserve(layout_.places.size());
  for (const auto& place : layout_.places) {
    auto& clock = clocks.emplace_back();
    for (const auto& known : place.clock) clock.push_back({layout_.names[known.line], known.events});
    clock.resize(causality::normalize(clock));
    auto& node = nodes.emplace_back(events_[place.event].event);
    node.parent_id = {};
    node.clock = clock;
  }
  std::vector<ShivizLayout::Place> sorted;
  for (const auto index : causality::causal_order(nodes)) sorted.push_back(std::move(layout_.places[index]));
  layout_.places = std::move(sorted);
}

ShivizLayout Arrangement::run() {
  rank_events();
  draw_lines();
  place_others();
  name_lines();
  for (Index number = 0; number < lines_.size(); ++number) count(lines_[number], number);
  sort_places();
  return std::move(layout_);
}

}  // namespace

ShivizLayout lay_out(std::span<const ShownEvent> events) {
  return Arrangement(events).run();
}

}  // namespace raceway::server::moving
