#include "causality/audit_trail.hpp"

#include <map>
#include <utility>

#include "causality/races.hpp"

namespace raceway::causality {

std::vector<AuditTrail> audit_trails(const HappenedBefore& happened, const LockSets& locks,
                                     std::optional<std::string_view> variable) {
  const EventTable& events = happened.events();
  std::map<std::string_view, AuditTrail> trails;
  happened.walk([&](const Step& step) {
    const auto& event = events[step.event];
    const auto name = events.names()[event.subject];
    if (event.access == Access::no_access || event.subject == 0 || (variable && name != *variable)) return true;
    AuditTrail& trail = trails[name];
    trail.variable = event.subject;
    AuditEntry entry = {step.event};
    if (!trail.accesses.empty()) {
      const std::uint32_t previous = trail.accesses.back().event;
      entry.after_previous = step.follows(happened.spot(previous));
      const auto race_class = class_if_unordered(happened, locks, previous, step.event);
      entry.races_with_previous = !entry.after_previous && race_class && is_race(*race_class);
    }
    trail.accesses.push_back(entry);
    return true;
  });
  std::vector<AuditTrail> all;
  for (auto& [name, trail] : trails) all.push_back(std::move(trail));
  return all;
}

}  // namespace raceway::causality
