// The events of a trace that was copied out of the store, unpacked as they are asked for.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "memory/shard.hpp"
#include "storage/storage.hpp"

namespace raceway::server::memory {

/// Unpacks a chunk of some dozen events at a time, and keeps those that were asked for last.
class PackedEvents final : public storage::TraceEvents {
 public:
  /// `hold` is what the trace takes.
  PackedEvents(PackedTrace trace, Moment as_of, storage::ByteBudget::Hold hold);

  const storage::TraceSummary& summary() const { return trace_.summary; }

  std::uint32_t count() const override { return begins_.back(); }
  bool each(const Visit& visit) override;
  bool each_of(std::span<const std::uint32_t> places, const Visit& visit) override;

 private:
  struct Unpacked {
    std::uint32_t chunk = std::numeric_limits<std::uint32_t>::max();
    std::vector<storage::StoredEvent> events;
  };
  /// A trace that several threads write to is told from some chunks at a time.
  static constexpr std::uint32_t kept = 16;

  std::string_view chunk(std::uint32_t number) const;
  const std::vector<storage::StoredEvent>& unpack(std::uint32_t number);

  PackedTrace trace_;
  std::vector<std::uint32_t> begins_;  // the place of each chunk's first event, then how many events there are
  storage::ByteBudget::Hold hold_;
  std::array<Unpacked, kept> unpacked_;
};

}  // namespace raceway::server::memory
