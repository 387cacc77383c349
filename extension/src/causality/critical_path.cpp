#include "causality/critical_path.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "causality/digraph.hpp"

namespace raceway::causality {
namespace {

constexpr std::int64_t nanos_in_a_microsecond = 1000;
constexpr std::int64_t furthest = std::numeric_limits<std::int64_t>::max() / 2;

std::int64_t duration_of(const EventTable::Event& event) {
  return std::clamp<std::int64_t>(event.duration_nanos, 0, furthest);
}

/// Sums end at the furthest time instead of running over.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return a > furthest - b ? furthest : a + b;
}

/// Kept edges that a call makes, from callee to caller.
Digraph callers(const HappenedBefore& happened) {
  std::vector<Edge> edges;
  for (const CausalEdge& edge : happened.edges()) {
    if ((edge.reason == Reason::parent || edge.reason == Reason::span) && happened.kept(edge))
      edges.push_back({edge.to, edge.from});
  }
  return {happened.events().size(), edges};
}

}  // namespace

std::int64_t nanos_since(std::int64_t start, const EventTable::Event& event) {
  const auto micros = static_cast<std::uint64_t>(event.timestamp) - static_cast<std::uint64_t>(start);
  if (micros > static_cast<std::uint64_t>(furthest / nanos_in_a_microsecond) - 1) return furthest;
  return static_cast<std::int64_t>(micros) * nanos_in_a_microsecond + event.nanos;
}

TraceTimes::TraceTimes(const EventTable& events) : events_(events) {
  for (std::uint32_t event = 0; event < events.size(); ++event)
    earliest_ = std::min(earliest_, told(event) - duration(event));
}

std::int64_t TraceTimes::duration(std::uint32_t event) const {
  return duration_of(events_[event]);
}

/// Since the earliest time that is told.
std::int64_t TraceTimes::told(std::uint32_t event) const {
  return nanos_since(events_[0].timestamp, events_[event]);
}

std::vector<CausalEdge> calls_of_lines(const HappenedBefore& happened) {
  std::vector<CausalEdge> calls(happened.lines(), CausalEdge{none, none, Reason::parent});
  for (const CausalEdge& edge : happened.edges()) {
    const bool is_call = edge.reason != Reason::await && edge.reason != Reason::link && edge.reason != Reason::clock;
    if (!is_call || !happened.kept(edge)) continue;
    const Spot to = happened.spot(edge.to);
    if (to.position != 1 || happened.spot(edge.from).line == to.line) continue;
    if (calls[to.line].from == none) calls[to.line] = edge;
  }
  return calls;
}

DurationPath longest_durations(const HappenedBefore& happened) {
  struct Best {
    std::int64_t nanos = 0;
    std::uint32_t events = 1;
    std::uint32_t before = none;
  };
  const EventTable& events = happened.events();
  const Digraph from = callers(happened);
  std::vector<Best> best(events.size());
  const auto key = [&](std::uint32_t event) {
    return std::tuple(-best[event].nanos, best[event].events, happened.place(event));
  };
  DurationPath path;
  std::uint32_t last = none;
  for (const std::uint32_t event : happened.order()) {
    const std::int64_t own = duration_of(events[event]);
    path.nanos_of_trace = sum(path.nanos_of_trace, own);
    std::uint32_t before = none;
    for (const std::uint32_t other : from.successors(event)) {
      if (before == none || key(other) < key(before)) before = other;
    }
    best[event] = {own, 1, none};
    // What took no time is no part of the way to what did.
    if (before != none && best[before].nanos > 0)
      best[event] = {sum(own, best[before].nanos), best[before].events + 1, before};
    if (last == none || key(event) < key(last)) last = event;
  }
  if (last == none) return path;
  path.nanos = best[last].nanos;
  for (std::uint32_t event = last; event != none; event = best[event].before) path.events.push_back(event);
  std::ranges::reverse(path.events);
  return path;
}

namespace {

/// A line as something that somebody called, or nobody.
struct Activity {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::uint32_t caller = none;
  bool detached = false;
  std::vector<std::uint32_t> called = {};
};

std::vector<Activity> activities_of(const HappenedBefore& happened) {
  const TraceTimes times(happened.events());
  const auto calls = calls_of_lines(happened);
  std::vector<Activity> activities(happened.lines());
  for (std::uint32_t line = 0; line < happened.lines(); ++line) {
    Activity& activity = activities[line];
    activity.start = furthest;
    for (const std::uint32_t event : happened.line(line)) {
      activity.start = std::min(activity.start, times.start(event));
      activity.end = std::max(activity.end, times.end(event));
    }
    if (calls[line].from == none) continue;
    activity.caller = happened.spot(calls[line].from).line;
    activity.detached = happened.events()[calls[line].from].kind == Kind::async_spawn;
  }
  for (const CausalEdge& edge : happened.edges()) {
    const std::uint32_t line = happened.spot(edge.from).line;
    if (edge.reason == Reason::await && happened.kept(edge) && happened.spot(edge.to).line != line)
      activities[line].detached = false;
  }
  return activities;
}

/// Puts each activity under its caller, within its time; those that are not in it are detached.
void clip_to_callers(const HappenedBefore& happened, std::vector<Activity>& activities) {
  // A caller's first event stands before that of what it calls: so by the order of first events it is clipped before.
  std::vector<std::uint32_t> lines(activities.size());
  for (std::uint32_t line = 0; line < lines.size(); ++line) lines[line] = line;
  std::ranges::sort(lines, {}, [&](std::uint32_t line) { return happened.place(happened.line(line).front()); });
  for (const std::uint32_t line : lines) {
    Activity& activity = activities[line];
    if (activity.caller == none || activity.detached) continue;
    Activity& caller = activities[activity.caller];
    if (activity.end < caller.start || activity.start > caller.end) {
      activity.detached = true;
      continue;
    }
    activity.start = std::max(activity.start, caller.start);
    activity.end = std::min(activity.end, caller.end);
    caller.called.push_back(line);
  }
  for (Activity& activity : activities) {
    std::ranges::sort(activity.called, {}, [&](std::uint32_t line) {
      return std::tuple(-activities[line].end, -activities[line].start, happened.place(happened.line(line).front()));
    });
  }
}

}  // namespace

ElapsedPath elapsed_path(const HappenedBefore& happened) {
  struct Frame {
    std::uint32_t line;
    std::int64_t start;
    std::int64_t cursor;
    std::size_t next = 0;
  };
  auto activities = activities_of(happened);
  clip_to_callers(happened, activities);
  ElapsedPath path;
  std::uint32_t root = none;
  const auto key = [&](std::uint32_t line) {
    const Activity& activity = activities[line];
    return std::tuple(activity.start - activity.end, activity.start, happened.place(happened.line(line).front()));
  };
  for (std::uint32_t line = 0; line < activities.size(); ++line) {
    if (activities[line].detached) path.detached.push_back(line);
    if (activities[line].caller == none && (root == none || key(line) < key(root))) root = line;
  }
  if (root == none) return path;
  path.nanos = activities[root].end - activities[root].start;
  std::vector<Frame> frames = {{root, activities[root].start, activities[root].end}};
  const auto add = [&](std::uint32_t line, std::int64_t from, std::int64_t to) {
    if (from < to) path.pieces.push_back({line, from, to});
  };
  while (!frames.empty()) {
    Frame& frame = frames.back();
    const auto& called = activities[frame.line].called;
    while (frame.next < called.size() && activities[called[frame.next]].end > frame.cursor) ++frame.next;
    if (frame.next == called.size() || activities[called[frame.next]].end <= frame.start) {
      add(frame.line, frame.start, frame.cursor);
      frames.pop_back();
      continue;
    }
    const std::uint32_t child = called[frame.next++];
    const std::int64_t end = activities[child].end;
    const std::int64_t start = std::max(activities[child].start, frame.start);
    add(frame.line, end, frame.cursor);
    frame.cursor = start;
    if (start < end) frames.push_back({child, start, end});
  }
  std::ranges::reverse(path.pieces);
  return path;
}

}  // namespace raceway::causality
