// The accesses to a variable one after the other, each held against the one before.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "causality/happened_before.hpp"
#include "causality/locksets.hpp"

namespace raceway::causality {

struct AuditEntry {
  std::uint32_t event = 0;
  bool after_previous = true;        ///< the one before happened before it; so it is for the first
  bool races_with_previous = false;  ///< as is_race() has it
};

struct AuditTrail {
  std::uint32_t variable = 0;
  std::vector<AuditEntry> accesses;  ///< in the linear order
};

/// Of one variable or of all, by name, bytewise.
std::vector<AuditTrail> audit_trails(const HappenedBefore& happened, const LockSets& locks,
                                     std::optional<std::string_view> variable = std::nullopt);

}  // namespace raceway::causality
