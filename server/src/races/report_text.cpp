#include <algorithm>
#include <charconv>

#include "races/report.hpp"

namespace raceway::server::races {
namespace {

std::string counted(std::uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + ' ' + (count == 1 ? one : many);
}

std::string who(const analysis::EventDetails& event) {
  std::string text = event.service.empty() ? std::string("(no service)") : event.service;
  if (!event.thread.empty()) text += " / " + event.thread;
  return text;
}

std::string values(const analysis::EventDetails& event) {
  constexpr std::size_t most = 40;
  const auto shown = [](std::string json) {
    if (json.size() > most) json = json.substr(0, most) + "..";
    return json;
  };
  if (event.old_value.empty() || event.reads()) return event.new_value.empty() ? "" : shown(event.new_value);
  return shown(event.old_value) + " -> " + shown(event.new_value);
}

void append_table(std::string& text, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] + 2 - row[i].size(), ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
}

std::string why(const Example& example) {
  std::string text;
  if (example.last_common) {
    text = "  Nothing orders them after " + example.last_common->kind + " at " + example.last_common->location + " (" +
           example.last_common->id + "), the last event that both know of.\n";
  } else {
    text = "  Nothing orders them: no event of the trace is known to both.\n";
  }
  if (example.sharing == causality::Sharing::service)
    text += "  They are two processes of one service: a race where these share the variable.\n";
  if (example.sharing == causality::Sharing::name)
    text += "  They are two services: a race only where both mean the same variable, and not just its name.\n";
  return text;
}

void append_places(std::string& text, const RacingPlaces& places) {
  const Example& example = places.example;
  text += '\n' + std::string(severity_of(example.race_class)) + "  " + places.variable + "  " +
          counted(places.pairs, "pair", "pairs") + " in " + counted(places.traces, "trace", "traces") + '\n';
  append_table(text, {{example.one.location, example.one.access, who(example.one), values(example.one)},
                      {example.two.location, example.two.access, who(example.two), values(example.two)}});
  text += why(example);
  if (places.guarded > 0)
    text +=
        "  A common lock keeps " + counted(places.guarded, "other pair", "other pairs") + " of these places apart.\n";
  text += "  See: raceway explain '" + example.trace_id + "' '" + example.one.id + "' '" + example.two.id + "'\n";
}

}  // namespace

FilePlace file_place(const std::string& place) {
  const auto colon = place.rfind(':');
  FilePlace found = {place, 0};
  if (colon == std::string::npos || colon + 1 == place.size()) return found;
  const char* const begin = place.data() + colon + 1;
  const char* const end = place.data() + place.size();
  if (std::from_chars(begin, end, found.line).ptr != end) {
    found.line = 0;
  } else {
    found.file = place.substr(0, colon);
  }
  return found;
}

std::string report_text(const Search& search, const Suppressions& suppressions, std::size_t most_places) {
  std::string text = search.places.empty()
                         ? "No races"
                         : counted(search.places.size(), "race", "races") + " (" +
                               counted(search.critical + search.warnings, "pair", "pairs") + " of accesses)";
  text += " in " + counted(search.traces, "trace", "traces") + ", " + counted(search.events, "event", "events");
  if (search.suppressed > 0) text += "; " + std::to_string(search.suppressed) + " suppressed";
  text += '\n';
  const std::size_t shown = std::min(search.places.size(), most_places);
  for (std::size_t i = 0; i < shown; ++i) append_places(text, search.places[i]);
  if (shown > 0) {
    text +=
        "\nWhat would order a pair: a lock that both hold, a message or a join from the one to the other, or doing "
        "the\n"
        "work in one place. Mend the first critical one first; others often go with it.\n";
  }
  if (shown < search.places.size())
    text += "\n" + std::to_string(search.places.size() - shown) + " more: --limit " +
            std::to_string(search.places.size()) + '\n';
  for (const auto& line : suppressions.lines()) {
    if (!line.matched)
      text += "Suppression of line " + std::to_string(line.number) + " matched nothing: " + line.variable + ' ' +
              line.place + '\n';
  }
  return text;
}

}  // namespace raceway::server::races
