#include "analysis/trace_search.hpp"

#include <algorithm>
#include <span>

#include "wire/uuid.hpp"

namespace raceway::server::analysis {
namespace {

/// ASCII only.
bool contains(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return small(a) == small(b);
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool passes_text(const TraceFacts& facts, std::string_view text) {
  const auto is_in = [&](const std::string& service) { return contains(service, text); };
  const auto uuid = wire::canonical_uuid(text);
  return contains(facts.state.trace_id, text) || (uuid && *uuid == facts.state.trace_id) ||
         std::ranges::any_of(facts.services, is_in) || (facts.details && contains(facts.details->name, text));
}

bool passes(const TraceFacts& facts, const TraceQuery& query) {
  if (query.filter.service && std::ranges::find(facts.services, *query.filter.service) == facts.services.end())
    return false;
  if (query.text && !passes_text(facts, *query.text)) return false;
  if (!facts.details) return true;
  if (query.races && facts.details->races == 0) return false;
  if (query.errors && !facts.details->errors) return false;
  return !query.variable || facts.details->has_variable(*query.variable);
}

bool passes(const storage::TraceState& state, const TraceQuery& query) {
  return state.event_count >= query.filter.min_events &&
         (!query.filter.from || state.last_timestamp >= *query.filter.from) &&
         (!query.filter.to || state.first_timestamp <= *query.filter.to) &&
         state.last_timestamp - state.first_timestamp >= query.min_micros;
}

class Search {
 public:
  Search(storage::Storage& storage, FactsOfTraces& facts, const TraceQuery& query)
      : storage_(storage), facts_(facts), query_(query) {
    found_.next = query.after;
  }

  FoundTraces run() && {
    while (look_at_some()) {
    }
    return std::move(found_);
  }

 private:
  // What a part of the traces costs to look at should not be much more than what is shown of them.
  static constexpr std::size_t traces_at_once = 100;

  /// Answers whether to go on.
  bool look_at_some() {
    const bool selects =
        query_.needs_facts() || query_.filter.min_events > 1 || query_.filter.to || query_.min_micros > 0;
    const std::size_t wanted = selects ? traces_at_once : query_.limit - found_.traces.size();
    auto states = storage_.traces_behind(found_.next, wanted + 1);
    const bool has_more = states.size() > wanted;
    if (has_more) states.resize(wanted);
    std::vector<storage::TraceState> passing;
    std::ranges::copy_if(states, std::back_inserter(passing), [&](const auto& state) { return passes(state, query_); });
    const auto facts = facts_.of(passing, events_left_, query_.needs_facts());
    auto fact = facts.begin();
    for (const auto& state : states) {
      if (query_.filter.from && state.last_timestamp < *query_.filter.from) return end();
      if (passes(state, query_)) {
        if (fact == facts.end()) return !(found_.capped = true);
        look_at(*fact++);
      }
      ++found_.scanned;
      found_.next = {state.last_timestamp, state.trace_id};
      if (found_.traces.size() == query_.limit) return (has_more || &state != &states.back()) ? false : end();
    }
    if (!has_more) return end();
    found_.capped = found_.scanned >= most_scanned_traces;
    return !found_.capped;
  }

  /// Of a trace that went meanwhile there is nothing.
  void look_at(const FactsOfTraces::Facts& facts) {
    if (facts != nullptr && passes(*facts, query_)) found_.traces.push_back(facts);
  }

  bool end() {
    found_.next.reset();
    return false;
  }

  storage::Storage& storage_;
  FactsOfTraces& facts_;
  const TraceQuery& query_;
  std::uint64_t events_left_ = most_read_events;
  FoundTraces found_;
};

/// The trace that the text is the id of, in any of its forms.
FactsOfTraces::Facts named_by(FactsOfTraces& facts, storage::Storage& storage, const std::string& text) {
  std::vector<std::string> ids = {text};
  if (const auto uuid = wire::canonical_uuid(text); uuid && *uuid != text) ids.push_back(*uuid);
  std::vector<storage::TraceState> states;
  for (const auto& summary : storage.summaries(ids)) states.push_back(summary.state());
  std::uint64_t events_left = most_read_events;
  const auto found = facts.of(states, events_left, false);
  return found.empty() ? nullptr : found.front();
}

}  // namespace

FoundTraces search_traces(storage::Storage& storage, FactsOfTraces& facts, const TraceQuery& query) {
  if (query.text && !query.after) {
    const auto named = named_by(facts, storage, *query.text);
    if (named != nullptr && passes(named->state, query) && passes(*named, query))
      return {{named}, std::nullopt, 1, false};
  }
  return Search(storage, facts, query).run();
}

}  // namespace raceway::server::analysis
