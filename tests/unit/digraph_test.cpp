#include "causality/digraph.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace raceway::causality {
namespace {

std::vector<std::uint32_t> successors(const Digraph& graph, std::uint32_t node) {
  const auto found = graph.successors(node);
  return {found.begin(), found.end()};
}

TEST(Digraph, KnowsTheSuccessorsOfEachNode) {
  const std::vector<Edge> edges = {{2, 0}, {0, 1}, {0, 3}, {2, 0}};
  const Digraph graph(4, edges);
  EXPECT_EQ(graph.nodes(), 4U);
  EXPECT_EQ(successors(graph, 0), (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(successors(graph, 1), std::vector<std::uint32_t>{});
  EXPECT_EQ(successors(graph, 2), (std::vector<std::uint32_t>{0, 0}));
  EXPECT_EQ(successors(graph, 3), std::vector<std::uint32_t>{});
}

TEST(Digraph, MayBeEmpty) {
  const Digraph graph(0, {});
  EXPECT_EQ(graph.nodes(), 0U);
  EXPECT_TRUE(strongly_connected(graph).empty());
}

RC_GTEST_PROP(Digraph, ConnectsStronglyExactlyThoseThatReachEachOther, ()) {
  const auto nodes = *rc::gen::inRange<std::uint32_t>(1, 20);
  const auto node = rc::gen::inRange<std::uint32_t>(0, nodes);
  const auto pairs =
      *rc::gen::container<std::vector<std::pair<std::uint32_t, std::uint32_t>>>(rc::gen::pair(node, node));
  std::vector<Edge> edges;
  std::vector<std::vector<bool>> reach(nodes, std::vector<bool>(nodes));
  for (std::uint32_t a = 0; a < nodes; ++a) reach[a][a] = true;
  for (const auto& [from, to] : pairs) {
    edges.push_back({from, to});
    reach[from][to] = true;
  }
  for (std::uint32_t via = 0; via < nodes; ++via) {
    for (std::uint32_t a = 0; a < nodes; ++a) {
      for (std::uint32_t b = 0; b < nodes; ++b) reach[a][b] = reach[a][b] || (reach[a][via] && reach[via][b]);
    }
  }
  const auto components = strongly_connected(Digraph(nodes, edges));
  for (std::uint32_t a = 0; a < nodes; ++a) {
    for (std::uint32_t b = 0; b < nodes; ++b) {
      RC_ASSERT((components[a] == components[b]) == (reach[a][b] && reach[b][a]));
    }
  }
}

TEST(Digraph, ConnectsACircleOfAMillionNodesWithoutRecursion) {
  constexpr std::uint32_t count = 1'000'000;
  std::vector<Edge> edges;
  for (std::uint32_t i = 0; i < count; ++i) edges.push_back({i, (i + 1) % count});
  const auto components = strongly_connected(Digraph(count, edges));
  EXPECT_EQ(std::ranges::count(components, components.front()), count);
}

}  // namespace
}  // namespace raceway::causality
