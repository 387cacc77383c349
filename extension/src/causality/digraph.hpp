// A directed graph that is built once and then only walked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace raceway::causality {

struct Edge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;

  friend bool operator==(const Edge&, const Edge&) = default;
};

/// Nodes are the numbers below `nodes()`. The same edge may be there more than once.
class Digraph {
 public:
  Digraph() : Digraph(0, {}) {}
  /// Every edge must join nodes below `nodes`; there are fewer than 2^32.
  Digraph(std::uint32_t nodes, std::span<const Edge> edges);

  std::uint32_t nodes() const { return static_cast<std::uint32_t>(begin_.size() - 1); }
  std::span<const std::uint32_t> successors(std::uint32_t node) const {
    return {targets_.data() + begin_[node], begin_[node + 1] - begin_[node]};
  }

 private:
  std::vector<std::uint32_t> begin_;
  std::vector<std::uint32_t> targets_;
};

/// For each node the number of its strongly connected component: two nodes share one exactly if each can be reached
/// from the other. Linear time (Tarjan 1972), not recursive.
std::vector<std::uint32_t> strongly_connected(const Digraph& graph);

}  // namespace raceway::causality
