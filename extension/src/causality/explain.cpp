#include "causality/explain.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

namespace raceway::causality {

namespace {

/// Names the edges of a chain, each by its strongest reason.
void find_reasons(const HappenedBefore& happened, std::vector<ChainLink>& chain) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Reason> reasons;
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const Spot from = happened.spot(chain[i - 1].event);
    const Spot to = happened.spot(chain[i].event);
    const bool same_strand = from.line == to.line && from.line < happened.strands().size();
    reasons[{chain[i - 1].event, chain[i].event}] = same_strand ? Reason::program : Reason::clock;
  }
  for (const CausalEdge& edge : happened.edges()) {
    const auto at = reasons.find({edge.from, edge.to});
    if (at != reasons.end()) at->second = std::min(at->second, edge.reason);
  }
  for (std::size_t i = 1; i < chain.size(); ++i) chain[i].reason = reasons[{chain[i - 1].event, chain[i].event}];
}

}  // namespace

std::vector<ChainLink> shortest_chain(const HappenedBefore& happened, std::uint32_t a, std::uint32_t b) {
  if (a == b) return {};
  const auto& constraints = happened.constraints();
  // Backwards from b: for each node reached the one after it on the way. Those of clocks count nothing.
  std::vector<std::uint32_t> next(constraints.count(), none);
  std::deque<std::uint32_t> reached = {b};
  std::vector<bool> passed(constraints.count());
  next[b] = b;
  while (!reached.empty() && !passed[a]) {
    const std::uint32_t at = reached.front();
    reached.pop_front();
    if (passed[at]) continue;
    passed[at] = true;
    const auto reach = [&](std::uint32_t before) {
      if (next[before] != none) return;
      next[before] = at;
      constraints.is_event(before) ? reached.push_back(before) : reached.push_front(before);
    };
    for (const std::uint32_t before : happened.incoming().successors(at)) reach(before);
    if (!constraints.is_event(at)) continue;
    const Spot spot = happened.spot(at);
    if (spot.line < happened.strands().size() && spot.position > 1) reach(happened.at({spot.line, spot.position - 1}));
  }
  std::vector<ChainLink> chain;
  if (!passed[a]) return chain;
  for (std::uint32_t at = a;; at = next[at]) {
    if (constraints.is_event(at)) chain.push_back({at, Reason::parent});
    if (at == b) break;
  }
  find_reasons(happened, chain);
  return chain;
}

std::vector<Witness> find_witnesses(const HappenedBefore& happened, std::span<const EventPair> pairs) {
  std::map<std::uint32_t, std::vector<Heard>> clocks;
  for (const EventPair& pair : pairs) clocks[pair.first] = clocks[pair.second] = {};
  happened.walk([&](const Step& step) {
    const auto wanted = clocks.find(step.event);
    if (wanted == clocks.end()) return true;
    wanted->second = step.clock();
    return true;
  });
  std::vector<Witness> witnesses;
  for (const EventPair& pair : pairs) {
    Witness witness = {none, clocks[pair.first], clocks[pair.second]};
    auto other = witness.clock2.begin();
    for (const Heard& heard : witness.clock1) {
      while (other != witness.clock2.end() && other->line < heard.line) ++other;
      if (other == witness.clock2.end()) break;
      if (other->line != heard.line) continue;
      const std::uint32_t common = happened.at({heard.line, std::min(heard.position, other->position)});
      if (witness.last_common == none || happened.place(common) > happened.place(witness.last_common))
        witness.last_common = common;
    }
    witnesses.push_back(std::move(witness));
  }
  return witnesses;
}

}  // namespace raceway::causality
