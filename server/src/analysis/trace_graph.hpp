// A trace as columns, from which its diagram is drawn: lanes, columns, causes, and what is shown of each event.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/graph_texts.hpp"
#include "analysis/trace_analysis.hpp"
#include "analysis/trace_view.hpp"
#include "causality/diagram.hpp"
#include "causality/racing_events.hpp"
#include "storage/byte_budget.hpp"

namespace raceway::server::analysis {

/// Of more, the first so many in causal order are told: a closed past.
inline constexpr std::uint32_t most_graph_events = 250'000;
/// Races that are listed; all are counted.
inline constexpr std::size_t most_graph_races = 2'000;

/// Worked out at once, written column by column. Takes bytes of `budget` for as long as it is there.
class TraceGraph {
 public:
  TraceGraph(storage::TraceEvents& events, std::string_view trace_id, storage::ByteBudget& budget);

  std::uint32_t events() const { return static_cast<std::uint32_t>(diagram_.lane.size()); }
  /// The whole object.
  bool write(const Write& write) const;

 private:
  /// What is shown of an event beside what the diagram says. Texts by their numbers in the answer.
  struct Shown {
    std::uint32_t kind = 0;
    std::uint32_t name = 0;
    std::uint32_t place = causality::none;
    std::uint32_t flags = 0;
  };
  class Columns;

  void find_flags();
  void number_texts();
  const causality::EventTable::Event& event(std::size_t place) const {
    return trace_.events()[trace_.happened().order()[place]];
  }
  std::string begin_json() const;
  std::string races_json() const;
  void write_texts(Columns& out) const;
  void write_events(Columns& out) const;
  void write_causes(Columns& out) const;

  const std::string trace_id_;
  GraphTexts texts_;
  TraceAnalysis trace_;
  storage::ByteBudget::Hold hold_;
  causality::Diagram diagram_;
  causality::RacingEvents races_;
  std::uint64_t race_pairs_ = 0;
  std::int64_t earliest_ = 0;          // micros
  std::vector<Shown> shown_;           // by place in the order
  std::vector<std::uint32_t> kinds_;   // by number in the answer, of texts_
  std::vector<std::uint32_t> names_;   // likewise
  std::vector<std::uint32_t> places_;  // likewise, of the trace's names
  std::vector<std::uint32_t> variable_of_race_;
};

}  // namespace raceway::server::analysis
