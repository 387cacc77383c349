#include "races/search.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "analysis/trace_analysis.hpp"
#include "causality/explain.hpp"
#include "storage/byte_budget.hpp"

namespace raceway::server::races {
namespace {

using causality::SitePair;

using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;

/// What was found so far, by variable and places.
class Places {
 public:
  Places(Search& found, Suppressions& suppressions) : found_(found), suppressions_(suppressions) {}

  void add(analysis::TraceAnalysis& trace, const std::string& trace_id, const SitePair& site) {
    const auto races = site.pairs[0] + site.pairs[1];
    const auto& names = trace.events().names();
    const auto place = [&](std::uint32_t name) {
      if (name == causality::none) return std::string("(other places)");
      return name == 0 ? std::string("unknown") : std::string(names[name]);
    };
    RacingPlaces places = {std::string(names[site.variable]), place(site.site1),
                           std::string(causality::name_of(site.access1)), place(site.site2),
                           std::string(causality::name_of(site.access2))};
    if (races == 0) return;
    if (suppressions_.match(places.variable, places.site1, places.site2)) {
      ++found_.suppressed;
      return;
    }
    found_.critical += site.pairs[0];
    found_.warnings += site.pairs[1];
    auto& known = places_[{places.variable, places.site1, places.access1, places.site2, places.access2}];
    const bool is_new = known.traces == 0;
    if (is_new) known = std::move(places);
    known.pairs += races;
    known.guarded += site.pairs[static_cast<std::size_t>(causality::RaceClass::guarded)];
    ++known.traces;
    if (is_new) known.example = example_of(trace, trace_id, site.example);
  }

  void finish() {
    for (auto& [key, places] : places_) found_.places.push_back(std::move(places));
    std::ranges::stable_sort(
        found_.places, {}, [](const RacingPlaces& places) { return std::tuple(!places.is_critical(), ~places.pairs); });
  }

 private:
  static Example example_of(analysis::TraceAnalysis& trace, const std::string& trace_id,
                            const causality::RacePair& pair) {
    const causality::EventPair events = {pair.earlier, pair.later};
    const auto common = causality::find_witnesses(trace.happened(), {&events, 1}).front().last_common;
    std::vector<std::uint32_t> shown = {pair.earlier, pair.later};
    if (common != causality::none) shown.push_back(common);
    auto details = analysis::read_details(trace, shown);
    Example example = {trace_id, pair.race_class, pair.sharing, std::move(details[0]), std::move(details[1]), {}};
    if (common != causality::none) example.last_common = std::move(details[2]);
    return example;
  }

  Search& found_;
  Suppressions& suppressions_;
  std::map<Key, RacingPlaces> places_;
};

}  // namespace

Search search(memory::MemoryStorage& storage, const RacesOptions& options, Suppressions& suppressions) {
  Search found;
  Places places(found, suppressions);
  causality::RaceQuery query;
  query.most_pairs = 0;
  query.by_site = true;
  if (!options.variable.empty()) query.variable = options.variable;
  const auto visit = [&](const storage::TraceSummary& summary, storage::TraceEvents& events) {
    const auto& wanted = options.reading.traces;
    if (!wanted.empty() && std::ranges::find(wanted, summary.trace_id) == wanted.end()) return true;
    ++found.traces;
    found.events += summary.event_count;
    analysis::TraceAnalysis trace(events, storage::ByteBudget::none());
    const auto races = causality::find_races(trace.happened(), trace.locks(), query);
    for (const SitePair& site : races.sites) places.add(trace, summary.trace_id, site);
    return true;
  };
  storage.each_trace(
      {}, [](std::uint64_t) {}, visit);
  places.finish();
  return found;
}

std::string signature_of(const RacingPlaces& places) {
  return places.variable + '|' + places.site1 + '|' + places.access1 + '|' + places.site2 + '|' + places.access2;
}

}  // namespace raceway::server::races
