#include "analysis/race_report.hpp"

#include "analysis/event_details.hpp"
#include "analysis/json.hpp"

namespace raceway::server::analysis {
namespace {

using causality::RaceClass;
using causality::RacePair;

std::string clock_time(const wire::Timestamp& time) {
  std::string text;
  wire::append_timestamp(text, time, "");
  text.erase(0, text.find('T') + 1);
  constexpr std::size_t seconds_end = 8;
  constexpr std::size_t millis_end = 12;
  if (text.size() == seconds_end) text += ".000";
  text.resize(millis_end);
  return text;
}

/// Three lines on one side of a race.
void append_side(std::string& lines, int number, const EventDetails& event) {
  constexpr std::size_t of_id = 8;
  const auto add = [&](const std::string& line) {
    lines += ',';
    wire::append_json_string(lines, line);
  };
  add("   Event " + std::to_string(number) + ": " + event.id.substr(0, of_id) + " @ " + event.location + " [" +
      event.thread + ']');
  add("           @ " + clock_time(event.time));
  const auto value = [](const std::string& json) { return json.empty() ? std::string("none") : json; };
  add(event.reads() ? "           READ: " + value(event.new_value)
                    : "           WRITE: " + value(event.old_value) + " → " + value(event.new_value));
}

void append_lines(std::string& lines, std::string_view severity, std::string_view variable, const EventDetails& one,
                  const EventDetails& two) {
  if (lines.size() > 1) lines += ',';
  wire::append_json_string(lines, "🚨 " + std::string(severity) + " RACE on " + std::string(variable));
  append_side(lines, 1, one);
  append_side(lines, 2, two);
  lines += ",\"\"";
}

void append_detail(std::string& json, const RacePair& pair, std::string_view variable, const EventDetails& one,
                   const EventDetails& two) {
  if (json.size() > 1) json += ',';
  json += '{';
  append_text(json, "severity", severity_of(pair.race_class));
  append_text(json, "variable", variable);
  append_text(json, "event1_thread", one.thread);
  append_text(json, "event2_thread", two.thread);
  append_text(json, "event1_location", one.location);
  append_text(json, "event2_location", two.location);
  append_text(json, "description", race_description(pair.race_class == RaceClass::write_write, variable));
  append_text(json, "class", name_of(pair.race_class));
  append_text(json, "sharing", name_of(pair.sharing));
  append_flag(json, "first", pair.first);
  append_text(json, "event1_id", one.id);
  append_text(json, "event2_id", two.id);
}

}  // namespace

std::string race_description(bool both_write, std::string_view variable) {
  const std::string name(variable);
  return both_write
             ? "Write-Write race on " + name + ". Both threads modified the same variable without synchronization."
             : "Read-Write race on " + name + ". One thread read while another wrote.";
}

RaceReport report_races(TraceAnalysis& trace, std::size_t most) {
  const auto races = causality::find_races(trace.happened(), trace.locks(), {.most_pairs = most});
  std::vector<causality::EventPair> pairs;
  std::vector<std::uint32_t> shown;
  for (const RacePair& pair : races.listed) {
    pairs.push_back({pair.earlier, pair.later});
    shown.insert(shown.end(), {pair.earlier, pair.later});
  }
  std::vector<causality::Witness> witnesses;
  if (!pairs.empty()) witnesses = causality::find_witnesses(trace.happened(), pairs);
  for (const auto& witness : witnesses) {
    if (witness.last_common != causality::none) shown.push_back(witness.last_common);
  }
  const auto details = read_details(trace, shown);
  RaceReport report;
  report.races = races.pairs[0] + races.pairs[1];
  report.details = report.lines = "[";
  std::size_t common = 2 * pairs.size();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto variable = trace.events().names()[races.listed[i].variable];
    const EventDetails& one = details[2 * i];
    const EventDetails& two = details[2 * i + 1];
    append_detail(report.details, races.listed[i], variable, one, two);
    append_key(report.details, "last_common_id");
    if (witnesses[i].last_common == causality::none) {
      report.details += "null";
    } else {
      wire::append_json_string(report.details, details[common++].id);
    }
    report.details += '}';
    append_lines(report.lines, severity_of(races.listed[i].race_class), variable, one, two);
  }
  if (pairs.empty() && report.races == 0) report.lines += R"("No potential races detected for this trace")";
  report.details += ']';
  report.lines += ']';
  return report;
}

std::string warnings_json(const causality::HappenedBefore::Warnings& warnings) {
  std::string json = "{";
  const auto add = [&](std::string_view name, std::size_t count) {
    if (count > 0) append_count(json, name, count);
  };
  add("contradicted_edges", warnings.contradicted_edges);
  add("parent_cycles", warnings.parent_cycles);
  add("missing_parents", warnings.missing_parents);
  add("time_inversions", warnings.time_inversions);
  return json.size() > 1 ? json + '}' : std::string();
}

}  // namespace raceway::server::analysis
