#include "analysis/roll_ups.hpp"

#include <limits>
#include <set>
#include <utility>

namespace raceway::server::analysis {
namespace {

constexpr std::chrono::milliseconds longest_refresh{2000};
constexpr std::chrono::milliseconds longest_peek{200};
constexpr std::uint64_t events_of_a_small_trace = 2'000;

}  // namespace

void RollUps::read(const std::function<void(const RolledUp&)>& use) {
  const std::scoped_lock lock(mutex_);
  use_refreshed(use, {longest_refresh, std::numeric_limits<std::uint64_t>::max()});
}

bool RollUps::peek(const std::function<void(const RolledUp&)>& use) {
  const std::unique_lock lock(mutex_, longest_peek);
  if (!lock.owns_lock()) return false;
  use_refreshed(use, {longest_peek, events_of_a_small_trace});
  return true;
}

void RollUps::use_refreshed(const std::function<void(const RolledUp&)>& use, const Limit& limit) {
  if (names_.bytes() > most_bytes) {  // of traces that went, too
    digests_.clear();
    durations_.clear();
    names_ = {};
    bytes_ = 0;
  }
  const auto as_of = std::chrono::system_clock::now();
  const auto states = storage_.newest_traces(most_traces);
  std::set<std::string_view> there;
  for (const auto& state : states) there.insert(state.trace_id);
  for (auto known = digests_.begin(); known != digests_.end();) {
    const auto next = std::next(known);
    if (!there.contains(known->first)) forget(known);
    known = next;
  }
  RolledUp rolled_up = {{}, digests_, durations_, names_, refresh(states, limit), as_of};
  for (const auto& state : states) {
    const auto known = digests_.find(state.trace_id);
    if (known != digests_.end()) rolled_up.traces.push_back(known->second.get());
  }
  if (states.size() == most_traces) rolled_up.pending += storage_.totals().traces - most_traces;
  use(rolled_up);
}

/// Newest first. Answers how many are not up to date.
std::uint64_t RollUps::refresh(const std::vector<storage::TraceState>& states, const Limit& limit) {
  const auto give_up = std::chrono::steady_clock::now() + limit.time;
  std::uint64_t pending = 0;
  for (const auto& state : states) {
    const auto known = digests_.find(state.trace_id);
    if (known != digests_.end() && known->second->state == state) continue;
    const bool may_digest =
        std::chrono::steady_clock::now() < give_up && bytes_ <= most_bytes && state.event_count <= limit.events_a_trace;
    if (!may_digest || !digest(state)) ++pending;
  }
  return pending;
}

/// Answers whether it could: others may hold all the memory.
bool RollUps::digest(const storage::TraceState& state) {
  std::unique_ptr<DigestedTrace> digested;
  try {
    if (const auto events = storage_.trace(state.trace_id)) {
      TraceAnalysis trace(*events, budget_);
      digested = std::make_unique<DigestedTrace>(DigestedTrace{state, digest_of(trace, names_)});
    }
  } catch (const storage::Unavailable&) {
    return false;
  }
  const auto known = digests_.find(state.trace_id);
  if (known != digests_.end()) forget(known);
  if (digested != nullptr) keep(std::move(digested));  // else it went meanwhile
  return true;
}

void RollUps::keep(std::unique_ptr<DigestedTrace> digested) {
  bytes_ += digested->digest.bytes();
  for (const auto& operation : digested->digest.operations)
    durations_[{operation.service, operation.name}].add(operation.durations);
  digests_[digested->state.trace_id] = std::move(digested);
}

void RollUps::forget(Digests::iterator known) {
  const TraceDigest& digest = known->second->digest;
  bytes_ -= digest.bytes();
  for (const auto& operation : digest.operations)
    durations_[{operation.service, operation.name}].take_out(operation.durations);
  digests_.erase(known);
}

}  // namespace raceway::server::analysis
