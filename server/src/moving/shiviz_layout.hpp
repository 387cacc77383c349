// Where the events of a trace stand in a picture of ShiViz, and with which clocks.
//
// ShiViz takes a log only where each host's events count 1, 2, 3, ... in their own component and no clock names what is
// not shown. Clocks that were sent have gaps, restart, or are missing. So the events are put on lines, each a sequence,
// and get clocks that count, of every line, the events that happened before.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "causality/causal_order.hpp"

namespace raceway::server::moving {

struct ShownEvent {
  causality::TraceEvent event;  ///< without zeros in its clock
  std::string_view component;   ///< of its clock, whose event it is; empty without a clock
  std::string_view strand;      ///< events of one strand are known to follow each other; empty: of none
  std::string_view strand_name;
};

struct ShivizLayout {
  struct Known {
    std::uint32_t line = 0;
    std::uint64_t events = 0;
  };
  struct Place {
    std::uint32_t event = 0;  ///< its index
    std::uint32_t line = 0;
    std::vector<Known> clock;  ///< by line, its own among them
  };
  std::vector<std::string> names;  ///< of the lines, each another
  std::vector<Place> places;       ///< causes before effects

  std::uint64_t placed = 0;    ///< events without a clock that stand by the order of their strand
  std::uint64_t left_out = 0;  ///< events without a clock and without a strand
  std::uint64_t equal = 0;     ///< events that follow another of their line although the clocks are equal
  std::uint64_t split = 0;     ///< components that are more than one line, for their clocks order them only in part
};

/// Of two shown events with different clocks one stands before the other exactly where its sent clock does.
ShivizLayout lay_out(std::span<const ShownEvent> events);

}  // namespace raceway::server::moving
