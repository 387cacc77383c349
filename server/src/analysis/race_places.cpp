// Races within traces, by the pair of places in the program that they are between.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <span>
#include <tuple>

#include "analysis/global_report.hpp"
#include "analysis/json.hpp"

namespace raceway::server::analysis {
namespace {

constexpr std::size_t most_examples_of_one = 100;

/// A pair of places in all traces.
struct PlacesTotals {
  std::uint64_t races = 0;
  causality::RaceClass race_class = causality::RaceClass::unknown;
  std::vector<std::pair<const DigestedTrace*, const TraceDigest::Places*>> traces;
};

using causality::Access;
using PlacesKey = std::tuple<std::string_view, std::string_view, Access, std::string_view, Access>;

/// By names, since they are numbered in the order in which traces came.
std::map<PlacesKey, PlacesTotals> places_totals(const RolledUp& rolled_up) {
  std::map<PlacesKey, PlacesTotals> totals;
  for (const auto* trace : rolled_up.traces) {
    for (const auto& places : trace->digest.places) {
      const auto& names = rolled_up.names;
      auto& each =
          totals[{names[places.variable], names[places.site1], places.access1, names[places.site2], places.access2}];
      each.races += places.races;
      each.race_class = std::min(each.race_class, places.race_class);
      each.traces.emplace_back(trace, &places);
    }
  }
  return totals;
}

/// A name for a URL: FNV-1a of the pair of places, so it is the same wherever they are found.
std::string key_of(const PlacesKey& places) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    hash = (hash ^ 0xffU) * 0x100000001b3U;
  };
  const auto& [variable, site1, access1, site2, access2] = places;
  for (const auto text : {variable, site1, causality::name_of(access1), site2, causality::name_of(access2)}) add(text);
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
  const std::string text(digits.data(), end);
  return std::string(digits.size() - text.size(), '0') + text;
}

void append_places(std::string& json, const PlacesKey& places, const PlacesTotals& totals, std::size_t most_examples) {
  const auto& [variable, site1, access1, site2, access2] = places;
  append_text(json, "key", key_of(places));
  append_text(json, "variable", variable);
  append_text(json, "severity", causality::severity_of(totals.race_class));
  append_text(json, "site1", site1);
  append_text(json, "access1", causality::name_of(access1));
  append_text(json, "site2", site2);
  append_text(json, "access2", causality::name_of(access2));
  append_count(json, "races", totals.races);
  append_count(json, "traces", totals.traces.size());
  const auto shown = std::span(totals.traces).first(std::min(totals.traces.size(), most_examples));
  append_list(json, "examples", shown, [&](const auto& example) {
    append_text(json, "trace_id", example.first->state.trace_id);
    append_text(json, "event1_id", example.second->event1_id);
    append_text(json, "event2_id", example.second->event2_id);
    append_count(json, "races", example.second->races);
  });
}

}  // namespace

std::string races_json(const RolledUp& rolled_up, std::uint64_t skipped, std::uint64_t limit) {
  const auto totals = places_totals(rolled_up);
  std::vector<const std::pair<const PlacesKey, PlacesTotals>*> sorted;
  std::uint64_t races = 0;
  for (const auto& each : totals) {
    sorted.push_back(&each);
    races += each.second.races;
  }
  std::ranges::stable_sort(sorted, {},
                           [](const auto* each) { return std::pair(each->second.race_class, ~each->second.races); });
  std::string json = "{";
  append_count(json, "total", sorted.size());
  append_count(json, "total_races", races);
  const auto page = std::span(sorted).subspan(std::min<std::uint64_t>(skipped, sorted.size()));
  append_list(json, "races", page.first(std::min<std::uint64_t>(limit, page.size())),
              [&](const auto* each) { append_places(json, each->first, each->second, 1); });
  append_as_of(json, rolled_up);
  return json + '}';
}

std::string races_of_key_json(const RolledUp& rolled_up, std::string_view key) {
  for (const auto& [places, totals] : places_totals(rolled_up)) {
    if (key_of(places) != key) continue;
    std::string json = "{";
    append_places(json, places, totals, most_examples_of_one);
    append_as_of(json, rolled_up);
    return json + '}';
  }
  return {};
}

}  // namespace raceway::server::analysis
