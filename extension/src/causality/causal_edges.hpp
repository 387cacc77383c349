// What of a trace's data says that one event was before another, edge by edge, each with its reason.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "causality/event_table.hpp"
#include "causality/strands.hpp"

namespace raceway::causality {

/// In falling order of trust.
enum class Reason : std::uint8_t { parent, program, spawn, await, span, link, clock };

inline constexpr std::array<std::string_view, 7> names_of_reasons = {"parent", "program", "spawn", "await",
                                                                     "span",   "link",    "clock"};

/// As SQL and JSON spell it.
constexpr std::string_view name_of(Reason reason) {
  return names_of_reasons[static_cast<std::size_t>(reason)];
}

struct CausalEdge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  Reason reason = Reason::parent;
};

/// Takes its parent from the earliest event of each cycle of parents; answers how many there were.
std::size_t cut_cycles(std::vector<std::uint32_t>& parents);

/// The first and the last event of each strand, along `order`.
struct StrandEnds {
  StrandEnds(const Strands& strands, std::span<const std::uint32_t> order);

  std::vector<std::uint32_t> first;
  std::vector<std::uint32_t> last;
};

/// AsyncSpawn of a task -> the first event of the strand that is its thread, in the same process. The last event of it,
/// and of strands that the spawn is the parent of, -> AsyncAwait of the task in another strand. Of several spawns of a
/// task in a process the earliest counts.
std::vector<CausalEdge> task_edges(const EventTable& events, const Strands& strands, const StrandEnds& ends,
                                   std::span<const std::uint32_t> parents, std::span<const std::uint32_t> order);

/// Spans, each with the one it was called from.
class Spans {
 public:
  /// Of several upstream spans of one the earliest event's counts.
  Spans(const EventTable& events, std::span<const std::uint32_t> order);

  /// The first event of the span that is so named, or none.
  std::uint32_t first(std::uint32_t span) const { return first_[span]; }
  /// The name of the span upstream, or 0.
  std::uint32_t upstream(std::uint32_t span) const { return upstream_[span]; }

  /// The first event of the span upstream -> the first event of the span in each strand. When in the span upstream the
  /// call was made is not known from ids; its first event is certainly before it.
  std::vector<CausalEdge> edges(const EventTable& events, const Strands& strands,
                                std::span<const std::uint32_t> order) const;

 private:
  std::vector<std::uint32_t> first_;     // by number of the name
  std::vector<std::uint32_t> upstream_;  // likewise
};

}  // namespace raceway::causality
