#include "causality/chain_ends.hpp"

#include "causality/event_table.hpp"

namespace raceway::causality {

ChainEnds::ChainEnds(const Digraph& incoming, std::span<const std::uint32_t> previous)
    : incoming_(incoming),
      previous_(previous),
      is_end_(incoming.nodes()),
      dry_(incoming.nodes()),
      passed_(incoming.nodes()),
      stands_for_(incoming.nodes(), none),
      steps_left_(std::size_t{64} * (incoming.nodes() + std::size_t{1024})) {}

std::size_t ChainEnds::count_before(std::uint32_t node) const {
  return incoming_.successors(node).size() + (previous_[node] == none ? 0 : 1);
}

std::uint32_t ChainEnds::before(std::uint32_t node, std::size_t number) const {
  const auto incoming = incoming_.successors(node);
  return number < incoming.size() ? incoming[number] : previous_[node];
}

/// Follows single ways, and makes them shorter for the next time.
std::uint32_t ChainEnds::resolve(std::uint32_t node) {
  const auto passes = [&](std::uint32_t at) { return !is_end_[at] && stands_for_[at] != none; };
  while (passes(node)) {
    std::uint32_t& next = stands_for_[node];
    if (passes(next)) next = stands_for_[next];
    node = next;
  }
  return node;
}

std::uint32_t ChainEnds::take_before(std::uint32_t node) {
  path_.assign(1, node);
  while (!path_.empty() && steps_left_ > 0) {
    --steps_left_;
    const std::uint32_t at = path_.back();
    if (is_end_[at]) {
      is_end_[at] = false;
      return at;
    }
    const std::size_t count = count_before(at);
    if (passed_[at] == count) {
      dry_[at] = true;
      path_.pop_back();
      continue;
    }
    const std::uint32_t next = resolve(before(at, passed_[at]));
    if (dry_[next]) {
      ++passed_[at];
      continue;
    }
    if (passed_[at] + std::size_t{1} == count) {
      stands_for_[at] = next;
      path_.pop_back();
    }
    path_.push_back(next);
  }
  return none;
}

}  // namespace raceway::causality
