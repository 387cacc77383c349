#include "analysis/trace_graph.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "analysis/json.hpp"
#include "causality/races.hpp"

namespace raceway::server::analysis {
namespace {

using causality::none;

/// Of an event, to be added up.
struct Flag {
  static constexpr std::uint32_t writes = 1;
  static constexpr std::uint32_t reads = 2;
  static constexpr std::uint32_t error = 4;
  static constexpr std::uint32_t races = 8;
  static constexpr std::uint32_t parent_missing = 16;
  static constexpr std::uint32_t undecided = 32;
};

std::uint32_t access_flags(causality::Access access) {
  if (access == causality::Access::no_access) return 0;
  if (access == causality::Access::atomic_rmw) return Flag::writes | Flag::reads;
  return causality::writes(access) ? Flag::writes : Flag::reads;
}

void append_name_or_null(std::string& json, std::string_view name, std::string_view text) {
  if (!text.empty()) return append_text(json, name, text);
  append_key(json, name);
  json += "null";
}

/// Numbers as they come first, from 0.
class Numbering {
 public:
  explicit Numbering(std::vector<std::uint32_t>& in_order) : in_order_(in_order) {}
  std::uint32_t of(std::uint32_t number) {
    const auto [found, is_new] = numbers_.try_emplace(number, static_cast<std::uint32_t>(in_order_.size()));
    if (is_new) in_order_.push_back(number);
    return found->second;
  }

 private:
  std::vector<std::uint32_t>& in_order_;
  std::unordered_map<std::uint32_t, std::uint32_t> numbers_;
};

constexpr std::size_t bytes_a_shown_event = 64;  // with the numberings of texts

}  // namespace

/// Writes lists as JSON, a piece at a time.
class TraceGraph::Columns {
 public:
  explicit Columns(const Write& write) : write_(write) {}

  /// Where something is appended to; a comma and a name stand before each list.
  std::string& text() { return text_; }

  template <class Append>
  void list(std::string_view name, std::size_t count, Append append) {
    if (!ok_) return;
    text_ += ",\"";
    text_ += name;
    text_ += "\":[";
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) text_ += ',';
      append(i);
      constexpr std::size_t piece = std::size_t{64} << 10U;
      if (text_.size() >= piece && !flush()) return;
    }
    text_ += ']';
  }
  template <class Number>
  void numbers(std::string_view name, std::size_t count, Number number) {
    list(name, count, [&](std::size_t i) {
      std::array<char, 24> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number(i)).ptr;
      text_.append(digits.data(), end);
    });
  }
  /// False once nobody wants more.
  bool flush() {
    ok_ = ok_ && write_(text_);
    text_.clear();
    return ok_;
  }

 private:
  const Write& write_;
  std::string text_;
  bool ok_ = true;
};

TraceGraph::TraceGraph(storage::TraceEvents& events, std::string_view trace_id, storage::ByteBudget& budget)
    : trace_id_(trace_id),
      texts_(budget),
      trace_(events, budget, [this](const wire::Row& row, const wire::Json& metadata) { texts_.see(row, metadata); }),
      hold_(budget.hold()) {
  const std::size_t shown = std::min(trace_.events().size(), most_graph_events);
  hold_.grow(shown * (bytes_a_shown_event + 3 * sizeof(std::uint32_t)) + trace_.events().size() / 8);
  diagram_ = causality::draw(trace_.happened(), most_graph_events);
  hold_.grow(diagram_.causes.capacity() * sizeof(causality::Cause) + diagram_.lanes.size() * sizeof(causality::Lane));
  races_ = causality::racing_events(trace_.happened(), trace_.locks(), most_graph_races);
  race_pairs_ = races_.pairs;
  if (!races_.complete) {
    const auto counts = causality::find_races(trace_.happened(), trace_.locks(), {.most_pairs = 0}).pairs;
    race_pairs_ = counts[0] + counts[1];
  }
  shown_.resize(shown);
  find_flags();
  number_texts();
}

void TraceGraph::find_flags() {
  const auto& happened = trace_.happened();
  // Without a cycle that was cut they are what was told.
  const auto told = happened.warnings().parent_cycles > 0 ? trace_.events().parents() : std::vector<std::uint32_t>();
  const std::span<const std::uint32_t> parents = told.empty() ? happened.parents() : told;
  earliest_ = shown_.empty() ? 0 : event(0).timestamp;
  for (std::uint32_t place = 0; place < shown_.size(); ++place) {
    const std::uint32_t rank = happened.order()[place];
    const auto& event = trace_.events()[rank];
    std::uint32_t flags = access_flags(event.access);
    if (texts_.tells_error(event.place)) flags |= Flag::error;
    if (races_.is_racing[rank]) flags |= Flag::races;
    if (event.parent_id != 0 && parents[rank] == none) flags |= Flag::parent_missing;
    if (causality::is_unknown(happened, rank)) flags |= Flag::undecided;
    shown_[place].flags = flags;
    earliest_ = std::min(earliest_, event.timestamp);
  }
}

/// As they come first in causal order, so that they do not depend on how the events are kept.
void TraceGraph::number_texts() {
  Numbering kinds(kinds_);
  Numbering names(names_);
  Numbering places(places_);
  for (std::uint32_t place = 0; place < shown_.size(); ++place) {
    const auto& event = this->event(place);
    shown_[place].kind = kinds.of(texts_.kind(event.place));
    shown_[place].name = names.of(texts_.name(event.place));
    if (event.location != 0) shown_[place].place = places.of(event.location);
  }
  std::erase_if(races_.first, [&](const auto& pair) { return trace_.happened().place(pair.later) >= shown_.size(); });
  for (const auto& pair : races_.first) {
    const auto variable = trace_.events()[pair.later].subject;
    variable_of_race_.push_back(names.of(texts_.number(trace_.events().names()[variable])));
  }
}

std::string TraceGraph::begin_json() const {
  const auto& names = trace_.events().names();
  std::string json = "{";
  append_text(json, "trace_id", trace_id_);
  append_time(json, "as_of", {wire::micros_of(trace_.rows().as_of()), 0}, "+00:00");
  append_count(json, "total_events", trace_.events().size());
  append_count(json, "events", shown_.size());
  append_key(json, "t0");
  json += std::to_string(earliest_ - wire::unix_epoch);
  append_list(json, "lanes", diagram_.lanes, [&](const causality::Lane& lane) {
    append_name_or_null(json, "service", names[lane.process.service]);
    append_name_or_null(json, "instance", names[lane.process.instance]);
    append_name_or_null(json, "process", names[lane.process.process]);
    append_name_or_null(json, "thread", names[lane.thread]);
    append_count(json, "row", lane.row);
  });
  return json;
}

std::string TraceGraph::races_json() const {
  const auto& happened = trace_.happened();
  std::string json = ",\"races\":[";
  for (std::size_t i = 0; i < races_.first.size(); ++i) {
    const auto& pair = races_.first[i];
    if (i > 0) json += ',';
    json += '[' + std::to_string(happened.place(pair.earlier)) + ',' + std::to_string(happened.place(pair.later)) +
            ',' + std::to_string(variable_of_race_[i]) + ',' + std::to_string(static_cast<unsigned>(pair.race_class)) +
            ']';
  }
  json += ']';
  append_count(json, "race_pairs", race_pairs_);
  append_flag(json, "all_races_marked", races_.complete);
  return json;
}

void TraceGraph::write_texts(Columns& out) const {
  const auto texts = [&](std::string_view name, const std::vector<std::uint32_t>& numbers,
                         const causality::Names& all) {
    out.list(name, numbers.size(), [&](std::size_t i) { wire::append_json_string(out.text(), all[numbers[i]]); });
  };
  texts("kinds", kinds_, texts_.texts());
  texts("names", names_, texts_.texts());
  texts("places", places_, trace_.events().names());
}

void TraceGraph::write_events(Columns& out) const {
  const std::size_t count = shown_.size();
  out.list("id", count, [&](std::size_t i) { wire::append_json_string(out.text(), texts_.id(event(i).place)); });
  out.numbers("lane", count, [&](std::size_t i) { return diagram_.lane[i]; });
  out.numbers("column", count, [&](std::size_t i) { return diagram_.column[i]; });
  out.numbers("kind", count, [&](std::size_t i) { return shown_[i].kind; });
  out.numbers("name", count, [&](std::size_t i) { return shown_[i].name; });
  out.numbers("place", count, [&](std::size_t i) {
    return shown_[i].place == none ? std::int64_t{-1} : std::int64_t{shown_[i].place};
  });
  out.numbers("t", count, [&](std::size_t i) { return event(i).timestamp - earliest_; });
  out.list("duration", count, [&](std::size_t i) {
    if (event(i).duration_nanos < 0) {
      out.text() += "null";
    } else {
      append_millis(out.text(), event(i).duration_nanos);
    }
  });
  out.numbers("flags", count, [&](std::size_t i) { return shown_[i].flags; });
}

void TraceGraph::write_causes(Columns& out) const {
  constexpr auto& reasons = causality::names_of_reasons;
  out.numbers("cause_from", diagram_.cause_begin.size(), [&](std::size_t i) { return diagram_.cause_begin[i]; });
  out.numbers("cause", diagram_.causes.size(), [&](std::size_t i) { return diagram_.causes[i].place; });
  out.numbers("cause_reason", diagram_.causes.size(),
              [&](std::size_t i) { return static_cast<unsigned>(diagram_.causes[i].reason); });
  out.list("reasons", reasons.size(), [&](std::size_t i) { wire::append_json_string(out.text(), reasons[i]); });
  append_flag(out.text(), "all_causes", diagram_.all_causes);
  // Nothing yet is known by time or by a call's return alone.
  out.numbers("weak_from", 0, [](std::size_t i) { return i; });
  out.numbers("weak", 0, [](std::size_t i) { return i; });
}

bool TraceGraph::write(const Write& write) const {
  Columns out(write);
  out.text() = begin_json();
  write_texts(out);
  write_events(out);
  write_causes(out);
  out.text() += races_json() + '}';
  return out.flush();
}

}  // namespace raceway::server::analysis
