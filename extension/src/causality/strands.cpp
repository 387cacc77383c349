#include "causality/strands.hpp"

#include <map>
#include <tuple>

namespace raceway::causality {

Strands::Strands(const EventTable& events) : events_(events), strand_of_origin_(events.origins().size(), none) {
  std::map<std::tuple<ProcessName, std::uint32_t, std::uint32_t>, std::uint32_t> numbers;
  std::vector<bool> seen(strand_of_origin_.size());
  for (std::uint32_t rank = 0; rank < events.size(); ++rank) {
    const std::uint32_t number = events[rank].origin;
    if (seen[number]) continue;
    seen[number] = true;
    const auto& origin = events.origins()[number];
    if (origin.thread == 0 && origin.span == 0) continue;
    const auto key = std::tuple(ProcessName::of(origin), origin.thread, origin.thread == 0 ? origin.span : 0);
    const auto [at, is_new] = numbers.try_emplace(key, size());
    if (is_new) origin_of_.push_back(number);
    strand_of_origin_[number] = at->second;
  }
}

}  // namespace raceway::causality
