// Events without a strand are put on chains; this finds a chain that one of them can go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "causality/digraph.hpp"

namespace raceway::causality {

/// The ends of chains, for nodes of a graph that are asked for in an order in which all before them were. What lies
/// before a node can only lose ends later on, so a node that has none before it is never looked at again, and one that
/// has a single way left is passed over: near to the number of edges in all for usual traces, bounded for others.
class ChainEnds {
 public:
  /// `incoming`, edges backwards, and `previous`, by node one more node before it or none, are referred to.
  ChainEnds(const Digraph& incoming, std::span<const std::uint32_t> previous);

  /// Takes the end of a chain that a path leads from to `node`; none where none was found.
  std::uint32_t take_before(std::uint32_t node);
  /// A chain now ends with `node`.
  void add(std::uint32_t node) {
    is_end_[node] = true;
    dry_[node] = false;
  }

 private:
  std::uint32_t resolve(std::uint32_t node);
  std::size_t count_before(std::uint32_t node) const;
  std::uint32_t before(std::uint32_t node, std::size_t number) const;

  const Digraph& incoming_;
  std::span<const std::uint32_t> previous_;
  std::vector<bool> is_end_;
  std::vector<bool> dry_;                  // no end lies before it, nor is it one
  std::vector<std::uint32_t> passed_;      // by node: so many of those before it are dry
  std::vector<std::uint32_t> stands_for_;  // by node: the one way that is left
  std::vector<std::uint32_t> path_;
  std::size_t steps_left_;
};

}  // namespace raceway::causality
