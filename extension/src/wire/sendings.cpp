#include "wire/sendings.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "wire/contents.hpp"
#include "wire/reasons.hpp"

namespace raceway::wire {

std::vector<Sending> sendings_by_identity(std::span<const Batch> batches, EventIdentity identity,
                                          Allowance& allowance) {
  std::size_t count = 0;
  for (const auto& batch : batches) count += batch.events.size();
  std::vector<Sending> sendings;
  sendings.reserve(count);
  for (std::size_t body = 0; body < batches.size(); ++body) {
    for (const auto& event : batches[body].events) sendings.push_back({body, &event});
  }
  std::stable_sort(sendings.begin(), sendings.end(), [&](const Sending& a, const Sending& b) {
    allowance.step();
    return identity.before(*a.event, *b.event);
  });
  return sendings;
}

std::vector<std::span<const Sending>> group_by_event(std::span<const Sending> sendings, EventIdentity identity) {
  std::vector<std::span<const Sending>> groups;
  for (std::size_t from = 0; from < sendings.size();) {
    std::size_t to = from + 1;
    while (to < sendings.size() && identity.same(*sendings[to].event, *sendings[from].event)) ++to;
    groups.push_back(sendings.subspan(from, to - from));
    from = to;
  }
  std::stable_sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
    const auto& [body_of_a, event_of_a] = a.front();
    const auto& [body_of_b, event_of_b] = b.front();
    return std::pair(body_of_a, event_of_a->index) < std::pair(body_of_b, event_of_b->index);
  });
  return groups;
}

void count_sendings(std::span<const Sending> sendings, const StoreOutcome& outcome, std::span<BodyOutcome> bodies,
                    std::vector<Sending>& open) {
  const bool stored = outcome.kind == StoreOutcome::Kind::stored;
  const Event& first = *sendings.front().event;
  const std::string_view standing = stored ? first.trace_id : std::string_view(outcome.text);
  const auto reject = [](BodyOutcome& body, const Event& event, std::string reason) {
    body.rejected.add({event.index, std::string(event.event_id), std::move(reason)});
  };
  for (const Sending& sending : sendings) {
    const Event& event = *sending.event;
    BodyOutcome& body = bodies[sending.body];
    const bool is_first = &event == &first;
    if (outcome.kind == StoreOutcome::Kind::refused) {
      reject(body, event, outcome.text);
    } else if (stored && is_first) {
      ++body.stored;
    } else if (event.trace_id != standing) {
      reject(body, event, reason_other_trace(standing));
    } else if (!is_first && (first.trace_id != standing || !equal_contents(event, first))) {
      open.push_back(sending);
    } else if (outcome.other_contents.empty()) {
      ++body.duplicates;
    } else {
      reject(body, event, outcome.other_contents);
    }
  }
}

void count_sending(const Sending& sending, const StoreOutcome& outcome, std::span<BodyOutcome> bodies) {
  std::vector<Sending> none;
  count_sendings({&sending, 1}, outcome, bodies, none);
}

void sort_by_id(std::vector<Sending>& sendings) {
  std::stable_sort(sendings.begin(), sendings.end(),
                   [](const Sending& a, const Sending& b) { return a.event->event_id < b.event->event_id; });
}

}  // namespace raceway::wire
