// Strands: lines of events of which each had to wait for the one before.
#pragma once

#include <cstdint>
#include <vector>

#include "causality/event_table.hpp"

namespace raceway::causality {

/// One process of a service: its instance, or where that is not told its process id. Numbers of names.
struct ProcessName {
  std::uint32_t service = 0;
  std::uint32_t instance = 0;
  std::uint32_t process = 0;  ///< 0 where there is an instance

  static ProcessName of(const EventTable::OriginNames& origin) {
    return {origin.service, origin.instance, origin.instance == 0 ? origin.process : 0};
  }
  auto operator<=>(const ProcessName&) const = default;
};

/// The strand of each event by its origin: of one process and thread or, where no thread is told, of one process and
/// span. An event with neither is alone. Strands are numbered in the order of their earliest events.
class Strands {
 public:
  explicit Strands(const EventTable& events);

  std::uint32_t size() const { return static_cast<std::uint32_t>(origin_of_.size()); }
  /// Or none, for an event that is alone.
  std::uint32_t of(std::uint32_t rank) const { return strand_of_origin_[events_[rank].origin]; }
  /// The origin of its earliest event; of its span others may differ.
  const EventTable::OriginNames& origin(std::uint32_t strand) const { return events_.origins()[origin_of_[strand]]; }

 private:
  const EventTable& events_;
  std::vector<std::uint32_t> strand_of_origin_;
  std::vector<std::uint32_t> origin_of_;
};

}  // namespace raceway::causality
