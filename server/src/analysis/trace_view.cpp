#include "analysis/trace_view.hpp"

#include <map>
#include <utility>

#include "analysis/event_details.hpp"
#include "analysis/json.hpp"
#include "analysis/race_report.hpp"
#include "causality/calls.hpp"
#include "causality/critical_path.hpp"
#include "causality/explain.hpp"

namespace raceway::server::analysis {
namespace {

// Pairs of a trace's view; all are counted.
constexpr std::size_t most_race_details = 100;
// Pieces of the elapsed path, and events of the one by durations.
constexpr std::size_t most_path_steps = 1'000;

void append_elapsed(std::string& json, const TraceAnalysis& trace) {
  const auto& happened = trace.happened();
  const auto& names = trace.events().names();
  const auto path = causality::elapsed_path(happened);
  const auto origin_of = [&](std::uint32_t line) { return trace.events().origin(happened.line(line).front()); };
  std::map<std::string_view, std::int64_t> by_service;
  for (const auto& piece : path.pieces) by_service[names[origin_of(piece.line).service]] += piece.to - piece.from;
  append_key(json, "elapsed");
  json += '{';
  append_millis(json, "elapsed_ms", path.nanos);
  const auto shown = std::span(path.pieces).first(std::min(path.pieces.size(), most_path_steps));
  append_list(json, "pieces", shown, [&](const causality::PathPiece& piece) {
    const auto origin = origin_of(piece.line);
    append_text(json, "service", names[origin.service]);
    append_text(json, "thread", names[origin.thread]);
    append_text(json, "span", names[origin.span]);
    append_millis(json, "from", piece.from);
    append_millis(json, "to", piece.to);
    append_millis(json, "ms", piece.to - piece.from);
  });
  append_count(json, "pieces_total", path.pieces.size());
  append_list(json, "by_service", by_service, [&](const auto& each) {
    append_text(json, "service", each.first);
    append_millis(json, "ms", each.second);
    append_real(json, "percent", 100.0 * static_cast<double>(each.second) / static_cast<double>(path.nanos));
  });
  append_count(json, "detached", path.detached.size());
  json += '}';
}

void append_chain(std::string& json, std::string_view name, TraceAnalysis& trace,
                  const std::vector<causality::ChainLink>& chain) {
  std::vector<std::uint32_t> events;
  for (const auto& link : chain) events.push_back(link.event);
  append_key(json, name);
  json += '[';
  std::size_t at = 0;
  each_details(trace, events, [&](const EventDetails& event) {
    json += at == 0 ? "{" : ",{";
    append_text(json, "event_id", event.id);
    append_key(json, "reason");
    if (at == 0) {
      json += "null";
    } else {
      wire::append_json_string(json, name_of(chain[at].reason));
    }
    append_text(json, "kind", event.kind);
    append_text(json, "service", event.service);
    append_text(json, "thread", event.thread);
    append_text(json, "location", event.location);
    json += '}';
    ++at;
    return true;
  });
  json += ']';
}

}  // namespace

std::string critical_path_json(TraceAnalysis& trace, std::string_view trace_id) {
  if (trace.events().size() == 0) return "null";
  const auto path = causality::longest_durations(trace.happened());
  std::string json = "{";
  append_text(json, "trace_id", trace_id);
  append_count(json, "path_events", path.events.size());
  append_millis(json, "total_duration_ms", path.nanos);
  append_millis(json, "trace_total_duration_ms", path.nanos_of_trace);
  append_real(json, "percentage_of_total",
              path.nanos_of_trace == 0
                  ? 0.0
                  : 100.0 * static_cast<double>(path.nanos) / static_cast<double>(path.nanos_of_trace));
  append_key(json, "path");
  json += '[';
  const auto shown = std::span(path.events).first(std::min(path.events.size(), most_path_steps));
  std::size_t at = 0;
  each_details(trace, shown, [&](const EventDetails& event) {
    json += at == 0 ? "{" : ",{";
    append_text(json, "id", event.id);
    append_text(json, "kind", event.kind);
    append_text(json, "location", event.location);
    append_time(json, "timestamp", event.time, "+00:00");
    append_millis(json, "duration_ms", std::max<std::int64_t>(trace.events()[shown[at]].duration_nanos, 0));
    json += '}';
    ++at;
    return true;
  });
  json += ']';
  append_elapsed(json, trace);
  return json + '}';
}

std::string dependencies_json(const TraceAnalysis& trace, std::string_view trace_id) {
  const auto& events = trace.events();
  std::map<std::string_view, std::uint64_t> services;
  for (std::uint32_t event = 0; event < events.size(); ++event) {
    if (const auto service = events.origin(event).service; service != 0) ++services[events.names()[service]];
  }
  std::string json = "{";
  append_text(json, "trace_id", trace_id);
  append_list(json, "services", services, [&](const auto& each) {
    append_text(json, "name", each.first);
    append_count(json, "event_count", each.second);
  });
  std::map<std::pair<std::string_view, std::string_view>, std::uint64_t> between;
  for (const auto& call : causality::find_calls(trace.happened())) {
    if (call.from != 0 && call.from != call.to)
      between[{events.names()[call.from], events.names()[call.to]}] += call.count;
  }
  append_list(json, "dependencies", between, [&](const auto& each) {
    append_text(json, "from", each.first.first);
    append_text(json, "to", each.first.second);
    append_count(json, "call_count", each.second);
  });
  return json + '}';
}

namespace {

void append_access(std::string& json, const causality::AuditEntry& access, const EventDetails& event) {
  json += '{';
  append_text(json, "event_id", event.id);
  append_time(json, "timestamp", event.time, "Z");
  append_text(json, "thread_id", event.thread);
  append_text(json, "service_name", event.service);
  append_text(json, "access_type", event.access);
  append_key(json, "old_value");
  json += event.old_value.empty() ? "null" : event.old_value;
  append_key(json, "new_value");
  json += event.new_value.empty() ? "null" : event.new_value;
  append_text(json, "location", event.location);
  append_flag(json, "has_causal_link_to_previous", access.after_previous);
  append_flag(json, "is_race", access.races_with_previous);
  json += '}';
}

/// More accesses than these are read on their own.
constexpr std::size_t accesses_at_once = 4'096;

/// As many trails, from the first on, as are read together; one at least.
std::size_t read_together(std::span<const causality::AuditTrail> trails) {
  std::size_t count = 1;
  std::size_t accesses = trails.front().accesses.size();
  while (count < trails.size() && accesses + trails[count].accesses.size() <= accesses_at_once)
    accesses += trails[count++].accesses.size();
  return count;
}

std::string key_of(const TraceAnalysis& trace, const causality::AuditTrail& trail, bool first) {
  std::string key = first ? "" : ",";
  wire::append_json_string(key, trace.events().names()[trail.variable]);
  return key + ":[";
}

/// The accesses of some trails as JSON, one behind the other as the trails have them.
std::vector<std::string> accesses_json(TraceAnalysis& trace, std::span<const causality::AuditTrail> trails) {
  struct Wanted {
    std::uint32_t place;
    const causality::AuditEntry* access;
    std::uint32_t number;
  };
  std::vector<Wanted> wanted;
  for (const auto& trail : trails) {
    for (const auto& access : trail.accesses)
      wanted.push_back({trace.events()[access.event].place, &access, static_cast<std::uint32_t>(wanted.size())});
  }
  std::ranges::sort(wanted, {}, &Wanted::place);
  std::vector<std::uint32_t> events;
  events.reserve(wanted.size());
  for (const Wanted& each : wanted) events.push_back(each.access->event);
  std::vector<std::string> texts(wanted.size());
  std::size_t at = 0;
  std::size_t bytes = wanted.size() * sizeof(std::string);
  each_details(trace, events, [&](const EventDetails& event) {
    std::string& text = texts[wanted[at].number];
    append_access(text, *wanted[at].access, event);
    text.shrink_to_fit();
    // Twice, for those of one variable are joined.
    trace.take_beside(bytes += 2 * text.capacity());
    ++at;
    return true;
  });
  return texts;
}

}  // namespace

bool write_accesses(TraceAnalysis& trace, const causality::AuditTrail& trail, const Write& write) {
  std::vector<std::uint32_t> events;
  events.reserve(trail.accesses.size());
  for (const auto& access : trail.accesses) events.push_back(access.event);
  std::size_t at = 0;
  std::string json;
  return each_details(trace, events, [&](const EventDetails& event) {
    json = at == 0 ? "" : ",";
    append_access(json, trail.accesses[at++], event);
    return write(json);
  });
}

bool write_trails(TraceAnalysis& trace, std::span<const causality::AuditTrail> trails, const Write& write) {
  bool first = true;
  while (!trails.empty()) {
    const auto group = trails.first(read_together(trails));
    trails = trails.subspan(group.size());
    if (group.size() == 1) {
      if (!write(key_of(trace, group[0], first)) || !write_accesses(trace, group[0], write) || !write("]"))
        return false;
      first = false;
      continue;
    }
    const auto texts = accesses_json(trace, group);
    auto text = texts.begin();
    for (const auto& trail : group) {
      std::string json = key_of(trace, trail, first);
      first = false;
      for (std::size_t i = 0; i < trail.accesses.size(); ++i) json += (i == 0 ? "" : ",") + *text++;
      if (!write(json + ']')) return false;
    }
    trace.take_beside(0);
  }
  return true;
}

std::optional<std::string> relation_json(TraceAnalysis& trace, std::string_view a, std::string_view b) {
  const auto in_a = trace.find(a);
  const auto in_b = trace.find(b);
  if (!in_a || !in_b) return std::nullopt;
  const auto& happened = trace.happened();
  const auto order = happened.compare(*in_a, *in_b);
  std::string json = "{";
  append_text(json, "a", a);
  append_text(json, "b", b);
  append_text(json, "relation", name_of(order));
  if (order == causality::Order::before) {
    append_chain(json, "chain", trace, causality::shortest_chain(happened, *in_a, *in_b));
  } else if (order == causality::Order::after) {
    append_chain(json, "chain", trace, causality::shortest_chain(happened, *in_b, *in_a));
  } else if (order == causality::Order::concurrent) {
    const causality::EventPair pair = {*in_a, *in_b};
    const auto common = causality::find_witnesses(happened, {&pair, 1}).front().last_common;
    append_key(json, "last_common_id");
    if (common == causality::none) {
      json += "null";
    } else {
      wire::append_json_string(json, read_details(trace, {&common, 1}).front().id);
      append_chain(json, "chain_to_a", trace, causality::shortest_chain(happened, common, *in_a));
      append_chain(json, "chain_to_b", trace, causality::shortest_chain(happened, common, *in_b));
    }
  }
  return json + '}';
}

TraceView::TraceView(TraceAnalysis& trace, std::string_view trace_id, std::string_view anomalies, bool with_trails)
    : trace_(trace) {
  if (with_trails) trails_ = causality::audit_trails(trace.happened(), trace.locks());
  const RaceReport races = report_races(trace, most_race_details);
  rest_ = ",\"analysis\":{";
  append_count(rest_, "concurrent_events", races.races);
  append_count(rest_, "potential_races", races.races);
  append_key(rest_, "anomalies");
  rest_ += races.lines;
  append_key(rest_, "race_details");
  rest_ += races.details;
  append_count(rest_, "race_details_total", races.races);
  if (const auto warnings = warnings_json(trace.happened().warnings()); !warnings.empty()) {
    append_key(rest_, "warnings");
    rest_ += warnings;
  }
  rest_ += R"(},"critical_path":)" + critical_path_json(trace, trace_id);
  append_key(rest_, "anomalies");
  rest_ += anomalies;
  append_key(rest_, "dependencies");
  rest_ += dependencies_json(trace, trace_id);
}

bool TraceView::write(const Write& write) {
  if (!write(",\"audit_trails\":{")) return false;
  if (!write_trails(trace_, trails_, write)) return false;
  return write("}") && write(rest_);
}

}  // namespace raceway::server::analysis
