// Races of all traces: those within, which the core has counted, and those between them, by a closed form.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "analysis/event_details.hpp"
#include "analysis/global_report.hpp"
#include "analysis/json.hpp"
#include "analysis/race_report.hpp"

namespace raceway::server::analysis {
namespace {

using causality::Access;
using Variable = TraceDigest::Variable;
using Wide = DurationSums::Wide;

constexpr std::size_t most_listed = 100;
// Traces that are read again for a list of pairs between them.
constexpr std::size_t most_read_again = 40;

std::uint64_t bounded(Wide value) {
  constexpr Wide most = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::uint64_t>(std::min(value, most));
}

/// Nothing orders two traces: all pairs of their accesses, one of which writes and which are not both atomic, race. So
/// their number follows from sums over traces, of which the pairs within a trace are taken out again.
struct Between {
  Wide writes = 0, reads = 0, atomic_writes = 0, atomic_reads = 0;
  Wide within_write_write = 0;  // twice
  Wide within_write_atomic = 0, within_read_write = 0;

  void add(const causality::AccessCounts& counts) {
    const auto [r, w, ar, aw] =
        std::array<Wide, 4>{counts.reads, counts.writes, counts.atomic_reads, counts.atomic_writes};
    writes += w;
    reads += r;
    atomic_writes += aw;
    atomic_reads += ar;
    within_write_write += w * w;
    within_write_atomic += w * aw;
    within_read_write += w * r + w * ar + aw * r;
  }
  Wide write_write() const {
    return (writes * writes - within_write_write) / 2 + writes * atomic_writes - within_write_atomic;
  }
  Wide read_write() const { return writes * reads + writes * atomic_reads + atomic_writes * reads - within_read_write; }
};

/// What is known of a variable in all traces.
struct VariableTotals {
  std::vector<std::pair<const DigestedTrace*, const Variable*>> traces;  // newest first
  Between between;
  std::uint64_t write_write = 0;  // within traces
  std::uint64_t read_write = 0;

  std::uint64_t accesses() const {
    std::uint64_t all = 0;
    for (const auto& [trace, variable] : traces) all += variable->accesses.total();
    return all;
  }
};

std::map<std::string_view, VariableTotals> variable_totals(const RolledUp& rolled_up) {
  std::map<std::string_view, VariableTotals> totals;
  for (const auto* trace : rolled_up.traces) {
    for (const auto& variable : trace->digest.variables) {
      auto& of_variable = totals[rolled_up.names[variable.name]];
      of_variable.traces.emplace_back(trace, &variable);
      of_variable.between.add(variable.accesses);
      of_variable.write_write += variable.write_write;
      of_variable.read_write += variable.read_write;
    }
  }
  return totals;
}

/// Accesses of traces that are read again, each once.
class Accesses {
 public:
  Accesses(storage::Storage& storage, storage::ByteBudget& budget) : storage_(storage), budget_(budget) {}

  bool may_read_more() const { return read_.size() < most_read_again; }

  const std::vector<EventDetails>& of(const std::string& trace_id, std::string_view variable) {
    auto& of_trace = read_[trace_id];
    const auto known = of_trace.find(variable);
    if (known != of_trace.end()) return known->second;
    auto& accesses = of_trace[std::string(variable)];
    const auto events = storage_.trace(trace_id);
    if (events == nullptr) return accesses;
    TraceAnalysis trace(*events, budget_);
    std::vector<std::uint32_t> wanted;
    for (const std::uint32_t event : trace.happened().order()) {
      const auto& fact = trace.events()[event];
      if (fact.access != Access::no_access && trace.events().names()[fact.subject] == variable &&
          wanted.size() < most_listed)
        wanted.push_back(event);
    }
    return accesses = read_details(trace, wanted);
  }

 private:
  storage::Storage& storage_;
  storage::ByteBudget& budget_;
  std::map<std::string, std::map<std::string, std::vector<EventDetails>, std::less<>>> read_;
};

bool writes(const EventDetails& event) {
  return event.access == "Write" || event.access == "AtomicWrite" || event.access == "AtomicRMW";
}
bool is_atomic(const EventDetails& event) {
  return event.access.starts_with("Atomic");
}

std::string display_time(const wire::Timestamp& time) {
  std::string text;
  wire::append_timestamp(text, time, " UTC");
  const auto at = text.find('T');
  if (at != std::string::npos) text[at] = ' ';
  return text;
}

void append_pair(std::string& json, bool both_write, std::string_view variable, const std::string& trace1,
                 const EventDetails& one, const std::string& trace2, const EventDetails& two) {
  json += json.back() == '[' ? "{" : ",{";
  append_text(json, "severity", both_write ? "CRITICAL" : "WARNING");
  append_text(json, "variable", variable);
  append_text(json, "trace1_id", trace1);
  append_text(json, "trace2_id", trace2);
  append_text(json, "event1_thread", one.thread);
  append_text(json, "event2_thread", two.thread);
  append_text(json, "event1_location", one.location);
  append_text(json, "event2_location", two.location);
  append_text(json, "event1_timestamp", display_time(one.time));
  append_text(json, "event2_timestamp", display_time(two.time));
  append_text(json, "event1_id", one.id);
  append_text(json, "event2_id", two.id);
  append_text(json, "description", race_description(both_write, variable));
  json += '}';
}

/// Pairs between two traces, and within one where they are the same.
class Listing {
 public:
  Listing(storage::Storage& storage, storage::ByteBudget& budget)
      : storage_(storage), budget_(budget), accesses_(storage, budget) {}

  bool full() const { return count_ >= most_listed || !accesses_.may_read_more(); }

  void between(std::string_view variable, const std::string& trace1, const std::string& trace2) {
    for (const auto& one : accesses_.of(trace1, variable)) {
      for (const auto& two : accesses_.of(trace2, variable)) {
        if (count_ >= most_listed) return;
        if ((!writes(one) && !writes(two)) || (is_atomic(one) && is_atomic(two))) continue;
        append_pair(json_, writes(one) && writes(two), variable, trace1, one, trace2, two);
        ++count_;
      }
    }
  }

  void within(const std::string& trace_id) {
    const auto events = storage_.trace(trace_id);
    if (events == nullptr) return;
    TraceAnalysis trace(*events, budget_);
    const auto races = causality::find_races(trace.happened(), trace.locks(), {.most_pairs = most_listed - count_});
    std::vector<std::uint32_t> shown;
    for (const auto& pair : races.listed) shown.insert(shown.end(), {pair.earlier, pair.later});
    const auto details = read_details(trace, shown);
    for (std::size_t i = 0; i < races.listed.size(); ++i) {
      append_pair(json_, races.listed[i].race_class == causality::RaceClass::write_write,
                  trace.events().names()[races.listed[i].variable], trace_id, details[2 * i], trace_id,
                  details[2 * i + 1]);
      ++count_;
    }
  }

  std::size_t count() const { return count_; }
  std::string json() const { return json_ + ']'; }

 private:
  storage::Storage& storage_;
  storage::ByteBudget& budget_;
  Accesses accesses_;
  std::string json_ = "[";
  std::size_t count_ = 0;
};

bool overlap(const storage::TraceState& a, const storage::TraceState& b) {
  return a.first_timestamp <= b.last_timestamp && b.first_timestamp <= a.last_timestamp;
}

/// First those whose traces overlap in time: these are worth a look, the others may be days apart.
void list_between(Listing& listing, const std::map<std::string_view, VariableTotals>& totals) {
  for (const bool overlapping : {true, false}) {
    for (const auto& [name, of_variable] : totals) {
      const auto& traces = of_variable.traces;
      // Neighbours in time are near each other; what is further apart is counted, and not looked for.
      constexpr std::size_t neighbours = 50;
      for (std::size_t i = 0; i < traces.size(); ++i) {
        for (std::size_t j = i + 1; j < std::min(traces.size(), i + neighbours); ++j) {
          if (listing.full()) return;
          const bool conflicts = traces[i].second->accesses.all_writes() + traces[j].second->accesses.all_writes() > 0;
          if (!conflicts || overlap(traces[i].first->state, traces[j].first->state) != overlapping) continue;
          listing.between(name, traces[j].first->state.trace_id, traces[i].first->state.trace_id);
        }
      }
    }
  }
}

std::string_view contract_severity(bool any_write, bool any_read, bool several_threads) {
  if (!any_write) return "INFO";
  return any_read || !several_threads ? "WARNING" : "CRITICAL";
}

}  // namespace

std::string global_json(const RolledUp& rolled_up, storage::Storage& storage, storage::ByteBudget& budget) {
  const auto totals = variable_totals(rolled_up);
  Wide within = 0;
  Wide between = 0;
  for (const auto& [name, of_variable] : totals) {
    within += of_variable.write_write + of_variable.read_write;
    between += of_variable.between.write_write() + of_variable.between.read_write();
  }
  std::uint64_t events = 0;
  Listing listing(storage, budget);
  for (const auto* trace : rolled_up.traces) {
    events += trace->state.event_count;
    if (!trace->digest.places.empty() && !listing.full()) listing.within(trace->state.trace_id);
  }
  list_between(listing, totals);
  const std::uint64_t all = bounded(within + between);
  std::string json = "{";
  append_count(json, "total_traces", rolled_up.traces.size());
  append_count(json, "total_events", events);
  append_count(json, "concurrent_events", all);
  append_count(json, "potential_races", all);
  append_count(json, "races_within_traces", bounded(within));
  append_count(json, "races_between_traces", bounded(between));
  append_key(json, "anomalies");
  json += '[';
  if (all > 0) {
    wire::append_json_string(
        json, "🌐 GLOBAL: Found " + std::to_string(all) + " pairs of concurrent events across all traces");
  }
  if (all > listing.count()) {
    json += ',';
    wire::append_json_string(json, "   Showing first " + std::to_string(listing.count()) + " race pairs (" +
                                       std::to_string(all) + " total)");
  }
  json += ']';
  append_key(json, "race_details");
  json += listing.json();
  append_as_of(json, rolled_up);
  return json + '}';
}

std::string shared_variables_json(const RolledUp& rolled_up, std::uint64_t limit) {
  constexpr std::size_t most_trace_ids = 100;
  const auto totals = variable_totals(rolled_up);
  struct Shared {
    std::string_view name;
    const VariableTotals* of_variable;
    std::set<std::uint32_t> threads;
    std::set<std::string_view> access_types;
    std::uint64_t accesses;
    bool any_write;
    bool any_read;
  };
  std::vector<Shared> shared;
  for (const auto& [name, of_variable] : totals) {
    Shared each = {name, &of_variable, {}, {}, of_variable.accesses(), false, false};
    for (const auto& [trace, variable] : of_variable.traces) {
      each.threads.insert(variable->threads.begin(), variable->threads.end());
      for (const Access access : variable->access_types) each.access_types.insert(causality::name_of(access));
      each.any_write |= variable->accesses.all_writes() > 0;
      each.any_read |= variable->accesses.total() > variable->accesses.all_writes();
    }
    if (of_variable.traces.size() > 1 || each.threads.size() > 1) shared.push_back(std::move(each));
  }
  std::ranges::stable_sort(shared, std::greater<>(), [](const Shared& each) {
    return std::pair(each.of_variable->traces.size(), each.accesses);
  });
  std::string json = "{";
  append_count(json, "total_races", shared.size());
  append_key(json, "races");
  json += '[';
  for (std::size_t i = 0; i < std::min<std::size_t>(shared.size(), limit); ++i) {
    const Shared& each = shared[i];
    json += i == 0 ? "{" : ",{";
    append_text(json, "variable", each.name);
    append_count(json, "trace_count", each.of_variable->traces.size());
    append_count(json, "access_count", each.accesses);
    append_texts(json, "access_types", each.access_types);
    append_count(json, "thread_count", each.threads.size());
    append_text(json, "severity", contract_severity(each.any_write, each.any_read, each.threads.size() > 1));
    append_key(json, "trace_ids");
    json += '[';
    for (std::size_t j = 0; j < std::min(each.of_variable->traces.size(), most_trace_ids); ++j) {
      if (j > 0) json += ',';
      wire::append_json_string(json, each.of_variable->traces[j].first->state.trace_id);
    }
    json += ']';
    const auto& between = each.of_variable->between;
    append_count(json, "within_traces_write_write", each.of_variable->write_write);
    append_count(json, "within_traces_read_write", each.of_variable->read_write);
    append_count(json, "between_traces_write_write", bounded(between.write_write()));
    append_count(json, "between_traces_read_write", bounded(between.read_write()));
    json += '}';
  }
  json += ']';
  append_as_of(json, rolled_up);
  return json + '}';
}

}  // namespace raceway::server::analysis
