#include "analysis/trace_facts.hpp"

#include <algorithm>
#include <span>
#include <tuple>
#include <utility>

#include "analysis/event_names.hpp"
#include "analysis/trace_analysis.hpp"
#include "causality/races.hpp"
#include "storage/keyed_hash.hpp"

namespace raceway::server::analysis {
namespace {

std::uint64_t hash_of_variable(std::string_view name) {
  static const auto hash_key = storage::HashKey::random();
  return storage::sip_hash(hash_key, name);
}

}  // namespace

bool TraceFacts::Details::has_variable(std::string_view variable) const {
  return std::ranges::binary_search(variables, hash_of_variable(variable));
}

std::size_t TraceFacts::bytes() const {
  constexpr std::size_t with_its_places = 320;
  std::size_t bytes = with_its_places + state.trace_id.capacity() + services.size() * sizeof(std::string);
  for (const auto& service : services) bytes += service.capacity();
  if (details) bytes += details->name.capacity() + details->variables.size() * sizeof(std::uint64_t);
  return bytes;
}

TraceFacts::Details FactsOfTraces::details_of(storage::TraceEvents& events) const {
  TraceFacts::Details details;
  std::optional<std::pair<wire::Micros, std::string>> earliest;
  const TraceAnalysis trace(events, budget_, [&](const wire::Row& row, const wire::Json& metadata) {
    details.errors |= tells_error(row, metadata);
    if (earliest &&
        std::pair(row.timestamp, row.event_id) >= std::pair(earliest->first, std::string_view(earliest->second)))
      return;
    earliest.emplace(row.timestamp, row.event_id);
    details.name = event_name(row, metadata);
  });
  const auto& happened = trace.happened();
  details.missing_parent = happened.warnings().missing_parents > 0;
  for (const auto& variable :
       causality::find_races(happened, causality::LockSets(happened), {.most_pairs = 0}).variables) {
    details.races += variable.races();
    details.variables.push_back(hash_of_variable(trace.events().names()[variable.variable]));
  }
  std::ranges::sort(details.variables);
  return details;
}

FactsOfTraces::Facts FactsOfTraces::known(const storage::TraceState& state) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_id_.find(state.trace_id);
  if (found == by_id_.end() || (*found->second)->state != state) return nullptr;
  used_.splice(used_.begin(), used_, found->second);
  return used_.front();
}

void FactsOfTraces::keep(const Facts& facts) {
  const std::scoped_lock lock(mutex_);
  const auto forget = [&](std::list<Facts>::iterator at) {
    bytes_ -= (*at)->bytes();
    by_id_.erase((*at)->state.trace_id);
    used_.erase(at);
  };
  if (const auto found = by_id_.find(facts->state.trace_id); found != by_id_.end()) forget(found->second);
  used_.push_front(facts);
  by_id_.emplace(facts->state.trace_id, used_.begin());
  bytes_ += facts->bytes();
  while (bytes_ > most_bytes) forget(std::prev(used_.end()));
}

std::vector<FactsOfTraces::Facts> FactsOfTraces::of(const std::vector<storage::TraceState>& states,
                                                    std::uint64_t& events_left, bool or_none) {
  std::map<std::string_view, Facts> found;
  std::vector<std::string> to_read;
  std::vector<std::string> without_details;
  for (const auto& state : states) {
    const std::uint64_t cost = std::min(state.event_count, most_events);
    Facts facts = known(state);
    if (facts == nullptr && cost > events_left && or_none) break;
    if (facts == nullptr) {
      const bool is_read = state.event_count <= most_events && cost <= events_left;
      events_left -= std::min(cost, events_left);
      (is_read ? to_read : without_details).push_back(state.trace_id);
    }
    found.emplace(state.trace_id, std::move(facts));
  }
  const auto take = [&](const storage::TraceSummary& summary, std::optional<TraceFacts::Details> details) {
    auto facts = std::make_shared<const TraceFacts>(TraceFacts{summary.state(), summary.services, std::move(details)});
    if (facts->details) keep(facts);
    found.at(summary.trace_id) = std::move(facts);
  };
  storage_.traces_of(to_read, [&](const storage::TraceSummary& summary, storage::TraceEvents& events) {
    // It may have grown.
    const bool is_small = events.count() <= most_events;
    take(summary, is_small ? std::optional(details_of(events)) : std::nullopt);
    return true;
  });
  for (const auto& summary : storage_.summaries(without_details)) take(summary, std::nullopt);
  std::vector<Facts> facts;
  for (const auto& state : std::span(states).first(found.size())) facts.push_back(found.at(state.trace_id));
  return facts;
}

}  // namespace raceway::server::analysis
