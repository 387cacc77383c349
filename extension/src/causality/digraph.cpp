#include "causality/digraph.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace raceway::causality {

Digraph::Digraph(std::uint32_t nodes, std::span<const Edge> edges)
    : begin_(static_cast<std::size_t>(nodes) + 1), targets_(edges.size()) {
  for (const Edge& edge : edges) ++begin_[edge.from];
  std::uint32_t end = 0;
  for (std::uint32_t& begin : begin_) begin = end += begin;
  // Each begin now stands at its node's end; filling from the back moves it to where it belongs.
  for (std::size_t i = edges.size(); i-- > 0;) targets_[--begin_[edges[i].from]] = edges[i].to;
}

namespace {

class Tarjan {
 public:
  explicit Tarjan(const Digraph& graph)
      : graph_(graph), visited_(graph.nodes()), lowest_(graph.nodes()), component_(graph.nodes(), none) {}

  std::vector<std::uint32_t> run() && {
    for (std::uint32_t root = 0; root < graph_.nodes(); ++root) {
      if (visited_[root] == 0) walk(root);
    }
    return std::move(component_);
  }

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  struct Step {
    std::uint32_t node;
    std::size_t next_successor;
  };

  void enter(std::uint32_t node) {
    visited_[node] = lowest_[node] = ++visits_;
    open_.push_back(node);
    path_.push_back({node, 0});
  }

  void leave() {
    const std::uint32_t node = path_.back().node;
    path_.pop_back();
    if (!path_.empty()) {
      std::uint32_t& above = lowest_[path_.back().node];
      above = std::min(above, lowest_[node]);
    }
    if (lowest_[node] != visited_[node]) return;
    std::uint32_t member = none;
    do {
      member = open_.back();
      open_.pop_back();
      component_[member] = components_;
    } while (member != node);
    ++components_;
  }

  void walk(std::uint32_t root) {
    enter(root);
    while (!path_.empty()) {
      Step& step = path_.back();
      const auto successors = graph_.successors(step.node);
      if (step.next_successor == successors.size()) {
        leave();
        continue;
      }
      const std::uint32_t next = successors[step.next_successor++];
      if (visited_[next] == 0) {
        enter(next);
      } else if (component_[next] == none) {
        lowest_[step.node] = std::min(lowest_[step.node], visited_[next]);
      }
    }
  }

  const Digraph& graph_;
  std::vector<std::uint32_t> visited_;  // the when of the first visit, from 1; 0 is not yet
  std::vector<std::uint32_t> lowest_;   // the earliest open node known to be reachable
  std::vector<std::uint32_t> component_;
  std::vector<std::uint32_t> open_;  // visited nodes whose component is not known yet
  std::vector<Step> path_;
  std::uint32_t visits_ = 0;
  std::uint32_t components_ = 0;
};

}  // namespace

std::vector<std::uint32_t> strongly_connected(const Digraph& graph) {
  return Tarjan(graph).run();
}

}  // namespace raceway::causality
