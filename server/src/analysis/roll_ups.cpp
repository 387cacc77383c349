#include "analysis/roll_ups.hpp"

#include <set>
#include <utility>

namespace raceway::server::analysis {
void RollUps::read(const std::function<void(const RolledUp&)>& use, std::chrono::milliseconds limit) {
  const std::scoped_lock lock(mutex_);
  const auto as_of = std::chrono::system_clock::now();
  if (names_.bytes() > most_bytes) {  // of traces that went, too
    digests_.clear();
    names_ = {};
    bytes_ = 0;
  }
  const auto states = storage_.newest_traces(most_traces);
  std::set<std::string_view> there;
  for (const auto& state : states) there.insert(state.trace_id);
  std::erase_if(digests_, [&](const auto& digest) {
    const bool gone = !there.contains(digest.first);
    if (gone) bytes_ -= digest.second->digest.bytes();
    return gone;
  });
  RolledUp rolled_up = {{}, names_, refresh(states, limit), as_of};
  for (const auto& state : states) {
    const auto digest = digests_.find(state.trace_id);
    if (digest != digests_.end()) rolled_up.traces.push_back(digest->second.get());
  }
  if (states.size() == most_traces) rolled_up.pending += storage_.totals().traces - most_traces;
  use(rolled_up);
}

/// Newest first. Answers how many are not up to date.
std::uint64_t RollUps::refresh(const std::vector<storage::TraceState>& states, std::chrono::milliseconds limit) {
  const auto give_up = std::chrono::steady_clock::now() + limit;
  std::uint64_t pending = 0;
  for (const auto& state : states) {
    auto& known = digests_[state.trace_id];
    if (known != nullptr && known->state == state) continue;
    if (std::chrono::steady_clock::now() > give_up || bytes_ > most_bytes) {
      ++pending;
      if (known == nullptr) digests_.erase(state.trace_id);
      continue;
    }
    const auto events = storage_.trace(state.trace_id);
    if (events == nullptr) {
      if (known != nullptr) bytes_ -= known->digest.bytes();
      digests_.erase(state.trace_id);
      continue;
    }
    TraceAnalysis trace(*events, budget_);
    auto digested = std::make_unique<DigestedTrace>(DigestedTrace{state, digest_of(trace, names_)});
    if (known != nullptr) bytes_ -= known->digest.bytes();
    known = std::move(digested);
    bytes_ += known->digest.bytes();
  }
  return pending;
}

}  // namespace raceway::server::analysis
