#include "causality/event_table.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace raceway::causality {
namespace {

using Event = EventTable::Event;

auto time_of(const Event& event) {
  return std::pair(event.timestamp, event.nanos);
}

/// Sorts each run of events of one time by their ids, and those of one id by place.
void sort_ties(std::vector<Event>& events, const EventTable::ReadIds& read_ids) {
  std::vector<std::uint32_t> tied;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const bool as_before = i > 0 && time_of(events[i]) == time_of(events[i - 1]);
    const bool as_behind = i + 1 < events.size() && time_of(events[i]) == time_of(events[i + 1]);
    if (as_before || as_behind) tied.push_back(events[i].place);
  }
  if (tied.empty()) return;
  std::ranges::sort(tied);
  const auto ids = read_ids(tied);
  const auto id = [&](const Event& event) -> const std::string& {
    return ids[static_cast<std::size_t>(std::ranges::lower_bound(tied, event.place) - tied.begin())];
  };
  for (auto from = events.begin(); from != events.end();) {
    const auto to =
        std::find_if(from, events.end(), [&](const Event& other) { return time_of(other) != time_of(*from); });
    if (to - from > 1) std::stable_sort(from, to, [&](const Event& a, const Event& b) { return id(a) < id(b); });
    from = to;
  }
}

}  // namespace

EventTable::EventTable(std::size_t events) {
  events_.reserve(events);
  clock_begin_.reserve(events + 1);
}

/// Neighbours are mostly of one origin: it is compared with the last one before it is looked for.
std::uint32_t EventTable::origin_number(const Origin& origin) {
  const std::array texts = {origin.service, origin.instance, origin.process,
                            origin.thread,  origin.span,     origin.upstream_span};
  if (last_origin_number_ != none && std::ranges::equal(texts, last_origin_)) return last_origin_number_;
  std::ranges::copy(texts, last_origin_.begin());
  const OriginNames key = {names_.number(texts[0]), names_.number(texts[1]), names_.number(texts[2]),
                           names_.number(texts[3]), names_.number(texts[4]), names_.number(texts[5])};
  const auto [at, is_new] = origin_numbers_.try_emplace(key, static_cast<std::uint32_t>(origins_.size()));
  if (is_new) origins_.push_back(key);
  return last_origin_number_ = at->second;
}

void EventTable::add(const EventFacts& facts) {
  std::uint32_t locks = 0;
  if (!facts.locks.empty()) {
    std::vector<std::uint32_t> set;
    for (const auto lock : facts.locks) set.push_back(names_.number(lock));
    const auto [at, is_new] = lock_set_numbers_.try_emplace(set, static_cast<std::uint32_t>(lock_sets_.size()));
    if (is_new) lock_sets_.push_back(std::move(set));
    locks = at->second;
  }
  events_.push_back({facts.timestamp, facts.id, facts.parent, facts.duration_nanos.value_or(-1), size(),
                     origin_number(facts.origin), names_.number(facts.subject), names_.number(facts.location), locks,
                     static_cast<std::int16_t>(facts.nanos), facts.kind, facts.access, facts.shared_lock});
  for (const Component& component : facts.clock) {
    if (component.counter == 0) continue;
    clocks_.push_back({names_.number(component.name), static_cast<std::uint32_t>(component.counter >> 32U),
                       static_cast<std::uint32_t>(component.counter)});
  }
  clock_begin_.push_back(static_cast<std::uint32_t>(clocks_.size()));
  for (const std::uint64_t id : facts.links) links_.push_back({events_.back().place, id});
}

void EventTable::finish(const ReadIds& read_ids) {
  origin_numbers_ = {};
  lock_set_numbers_ = {};
  const auto key = [](const Event& event) { return std::tuple(event.timestamp, event.nanos, event.place); };
  if (!std::ranges::is_sorted(events_, {}, key)) std::ranges::sort(events_, {}, key);
  sort_ties(events_, read_ids);
}

/// Sorted and no hash table: ids come from outside, and no choice of ids may make this slow.
class EventTable::Ranks {
 public:
  explicit Ranks(const std::vector<Event>& events) {
    by_id_.reserve(events.size());
    for (std::uint32_t rank = 0; rank < events.size(); ++rank) by_id_.push_back({events[rank].id, rank});
    std::ranges::sort(by_id_);
  }

  /// Of the earliest event of that id, or none.
  std::uint32_t of(std::uint64_t id) const {
    const auto at = std::ranges::lower_bound(by_id_, Item{id, 0});
    return at != by_id_.end() && at->id == id ? at->rank : none;
  }

 private:
  struct Item {
    std::uint64_t id;
    std::uint32_t rank;
    auto operator<=>(const Item&) const = default;
  };
  std::vector<Item> by_id_;
};

std::vector<std::uint32_t> EventTable::parents() const {
  const Ranks ranks(events_);
  std::vector<std::uint32_t> parents(events_.size(), none);
  for (std::uint32_t rank = 0; rank < size(); ++rank) {
    if (events_[rank].parent_id != 0) parents[rank] = ranks.of(events_[rank].parent_id);
  }
  return parents;
}

std::vector<EventTable::Link> EventTable::links() const {
  std::vector<Link> links;
  if (links_.empty()) return links;
  const Ranks ranks(events_);
  std::vector<std::uint32_t> rank_of_place(events_.size());
  for (std::uint32_t rank = 0; rank < size(); ++rank) rank_of_place[events_[rank].place] = rank;
  for (const auto& [place, id] : links_) {
    const Link link = {ranks.of(id), rank_of_place[place]};
    if (link.from != none && link.from != link.to) links.push_back(link);
  }
  std::ranges::stable_sort(links, {}, &Link::to);
  return links;
}

std::size_t EventTable::bytes() const {
  return events_.capacity() * sizeof(Event) + clocks_.capacity() * sizeof(ClockEntry) +
         clock_begin_.capacity() * sizeof(std::uint32_t) + links_.capacity() * (sizeof(NamedLink) + 2 * sizeof(Link)) +
         origins_.size() * (2 * sizeof(OriginNames) + 48) + names_.bytes();
}

}  // namespace raceway::causality
