#include "causality/races.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <tuple>
#include <utility>

#include "causality/race_counter.hpp"

namespace raceway::causality {

std::string_view name_of(RaceClass race_class) {
  constexpr std::array<std::string_view, race_classes> names = {"write-write", "read-write", "atomic", "protected",
                                                                "unknown"};
  return names[static_cast<std::size_t>(race_class)];
}

std::string_view severity_of(RaceClass race_class) {
  if (race_class == RaceClass::write_write) return "CRITICAL";
  return race_class == RaceClass::read_write ? "WARNING" : "INFO";
}

std::string_view name_of(Sharing sharing) {
  constexpr std::array<std::string_view, 3> names = {"process", "service", "name"};
  return names[static_cast<std::size_t>(sharing)];
}

std::string_view name_of(Access access) {
  constexpr std::array<std::string_view, 6> names = {"", "Read", "Write", "AtomicRead", "AtomicWrite", "AtomicRMW"};
  return names[static_cast<std::size_t>(access)];
}

std::vector<std::uint32_t> sites_of_accesses(const HappenedBefore& happened) {
  const EventTable& events = happened.events();
  // Where an SDK tells its own file and line, that is the same for all that it watches.
  const auto is_within_sdk = [&](std::uint32_t location) {
    return events.names()[location].find("auto-track.") != std::string_view::npos;
  };
  std::vector<std::uint32_t> sites(events.size());
  for (std::uint32_t line = 0; line < happened.lines(); ++line) {
    std::uint32_t function = 0;
    for (const std::uint32_t event : happened.line(line)) {
      if (events[event].kind == Kind::function_call) function = events[event].subject;
      if (events[event].access == Access::no_access) continue;
      const std::uint32_t location = events[event].location;
      sites[event] = function != 0 && is_within_sdk(location) ? function : location;
    }
  }
  return sites;
}

bool is_unknown(const HappenedBefore& happened, std::uint32_t event) {
  return happened.strands().of(event) == none && happened.events().clock(event).empty() &&
         happened.parents()[event] == none;
}

namespace {

Sharing sharing_of(const EventTable& events, std::uint32_t a, std::uint32_t b) {
  const auto in_a = ProcessName::of(events.origin(a));
  const auto in_b = ProcessName::of(events.origin(b));
  if (in_a == in_b) return Sharing::process;
  return in_a.service == in_b.service ? Sharing::service : Sharing::name;
}

bool conflict(const AccessGroup& a, const AccessGroup& b) {
  return writes(a.access) || writes(b.access);
}

/// Of two that conflict.
RaceClass class_of(const AccessGroup& a, const AccessGroup& b, const LockSets& locks) {
  if (a.unknown || b.unknown) return RaceClass::unknown;
  if (a.locks != 0 && b.locks != 0 && locks.protect(a.locks, b.locks)) return RaceClass::guarded;
  if (is_atomic(a.access) && is_atomic(b.access)) return RaceClass::atomic;
  return writes(a.access) && writes(b.access) ? RaceClass::write_write : RaceClass::read_write;
}

/// What sides are sorted by, whichever names were numbered first; what no site is told apart for stands last.
auto side_of(const Names& names, std::uint32_t site, Access access) {
  return std::tuple(site == none, site == none ? std::string_view() : names[site], access);
}

/// Info stands in one rank.
std::size_t rank_of(RaceClass race_class) {
  return std::min<std::size_t>(static_cast<std::size_t>(race_class), 2);
}

/// All that is found of one variable.
class VariableSearch {
 public:
  VariableSearch(const HappenedBefore& happened, const LockSets& locks, const RaceQuery& query, std::uint32_t variable)
      : happened_(happened), locks_(locks), query_(query) {
    found_.variable = variable;
  }

  void add(const Step& step, std::uint32_t site) {
    const auto& event = happened_.events()[step.event];
    found_.accesses.add(event.access);
    AccessGroup group = {event.access, is_unknown(happened_, step.event), locks_.of(step.event), 0};
    if (query_.by_site) group.site = known_site(site);
    see(ProcessName::of(happened_.events().origin(step.event)));
    const auto racing = counter_.add(step, group);
    const std::uint32_t own = counter_.last_group();
    if (pairs_.size() <= own) pairs_.resize(own + std::size_t{1});
    auto& row = pairs_[own];
    if (row.size() < racing.size()) row.resize(racing.size());
    std::array<std::uint64_t, 3> by_rank = {};
    for (std::uint32_t other = 0; other < racing.size(); ++other) {
      if (racing[other] == 0 || !conflict(group, counter_.group(other))) continue;
      row[other].count += racing[other];
      const RaceClass race_class = class_of(group, counter_.group(other), locks_);
      by_rank[rank_of(race_class)] += racing[other];
      if (query_.by_site && row[other].earlier == none) row[other] = example(step, other, row[other].count);
    }
    for (std::size_t rank = 0; rank < by_rank.size(); ++rank) {
      if (by_rank[rank] > 0 && (rank < 2 || query_.with_info)) list(step, rank, by_rank[rank]);
    }
  }

  VariableRaces totals() const {
    VariableRaces totals = found_;
    each_pair([&](const AccessGroup& later, const AccessGroup& earlier, const Count& count) {
      totals.pairs[static_cast<std::size_t>(class_of(later, earlier, locks_))] += count.count;
    });
    return totals;
  }

  void append_sites(std::vector<SitePair>& sites) const;
  void append_listed(std::vector<RacePair>& listed) const {
    for (const auto& by_sharing : listed_) {
      for (const auto& pairs : by_sharing) listed.insert(listed.end(), pairs.begin(), pairs.end());
    }
  }
  std::size_t bytes() const { return counter_.bytes(); }

 private:
  struct Count {
    std::uint64_t count = 0;
    std::uint32_t earlier = none;  // an example
    std::uint32_t later = none;
  };

  template <class Visit>
  void each_pair(Visit visit) const {
    for (std::uint32_t later = 0; later < pairs_.size(); ++later) {
      for (std::uint32_t earlier = 0; earlier < pairs_[later].size(); ++earlier) {
        if (pairs_[later][earlier].count > 0)
          visit(counter_.group(later), counter_.group(earlier), pairs_[later][earlier]);
      }
    }
  }

  std::uint32_t known_site(std::uint32_t site) {
    if (sites_.size() < most_sites) sites_.try_emplace(site, site);
    const auto found = sites_.find(site);
    return found == sites_.end() ? none : found->second;
  }

  Count example(const Step& step, std::uint32_t group, std::uint64_t count) const {
    Count found = {count, none, step.event};
    counter_.each_racing(step, [&](std::uint32_t line, const RaceCounter::Access& access) {
      if (access.group != group) return true;
      const std::uint32_t event = happened_.at({line, access.position});
      if (found.earlier == none || happened_.place(event) < happened_.place(found.earlier)) found.earlier = event;
      return false;
    });
    return found;
  }

  RacePair pair(std::uint32_t earlier, std::uint32_t later, RaceClass race_class) const {
    return {found_.variable, race_class, sharing_of(happened_.events(), earlier, later), earlier, later, false};
  }

  /// What pairs can share depends on the processes that they can be of.
  void see(const ProcessName& process) {
    if (found_.accesses.total() == 1) first_process_ = process;
    if (process == first_process_) return;
    possible_sharings_ = std::max(possible_sharings_, process.service == first_process_.service ? std::size_t{2} : 3);
  }

  bool is_full(std::size_t rank) const {
    return std::ranges::all_of(std::span(listed_[rank]).first(possible_sharings_),
                               [&](const auto& pairs) { return pairs.size() >= query_.most_pairs; });
  }

  /// Lists the pairs of this access that are of the rank, as far as there is room, in the linear order.
  void list(const Step& step, std::size_t rank, std::uint64_t count) {
    // Where what there is room for does not come, looking for it ends at some time: the counts are exact in any case.
    constexpr std::uint64_t most_looked_at = 20'000'000;
    if (is_full(rank) || looked_at_ > most_looked_at) return;
    const AccessGroup& own = counter_.group(counter_.last_group());
    std::array<std::vector<RacePair>, 3> found;
    std::uint64_t left = count;
    counter_.each_racing(step, [&](std::uint32_t line, const RaceCounter::Access& access) {
      ++looked_at_;
      const AccessGroup& other = counter_.group(access.group);
      if (!conflict(own, other)) return true;
      const RaceClass race_class = class_of(own, other, locks_);
      if (rank_of(race_class) != rank) return true;
      --left;
      const RacePair each = pair(happened_.at({line, access.position}), step.event, race_class);
      auto& of_sharing = found[static_cast<std::size_t>(each.sharing)];
      const std::size_t room = query_.most_pairs - listed_[rank][static_cast<std::size_t>(each.sharing)].size();
      if (room > 0) of_sharing.push_back(each);
      return left > 0;
    });
    for (std::size_t sharing = 0; sharing < found.size(); ++sharing) {
      std::ranges::sort(found[sharing], {}, [&](const RacePair& each) { return happened_.place(each.earlier); });
      auto& listed = listed_[rank][sharing];
      const std::size_t room = query_.most_pairs - listed.size();
      if (found[sharing].size() > room) found[sharing].resize(room);
      listed.insert(listed.end(), found[sharing].begin(), found[sharing].end());
    }
  }

  const HappenedBefore& happened_;
  const LockSets& locks_;
  const RaceQuery& query_;
  VariableRaces found_;
  RaceCounter counter_;
  std::vector<std::vector<Count>> pairs_;  // by group of the later, then of the earlier
  std::map<std::uint32_t, std::uint32_t> sites_;
  std::array<std::array<std::vector<RacePair>, 3>, 3> listed_;  // by rank of severity, then sharing
  ProcessName first_process_;
  std::size_t possible_sharings_ = 1;
  std::uint64_t looked_at_ = 0;
};

void VariableSearch::append_sites(std::vector<SitePair>& sites) const {
  const Names& names = happened_.events().names();
  const auto side = [&](const AccessGroup& group) { return side_of(names, group.site, group.access); };
  std::map<std::tuple<std::uint32_t, Access, std::uint32_t, Access>, SitePair> found;
  each_pair([&](const AccessGroup& later, const AccessGroup& earlier, const Count& count) {
    const bool in_order = side(earlier) <= side(later);
    const AccessGroup& one = in_order ? earlier : later;
    const AccessGroup& two = in_order ? later : earlier;
    const RaceClass race_class = class_of(later, earlier, locks_);
    SitePair& site = found[{one.site, one.access, two.site, two.access}];
    const bool is_first = site.pairs == ClassCounts{};
    if (is_first) site = {found_.variable, one.site, one.access, two.site, two.access, {}, {}};
    site.pairs[static_cast<std::size_t>(race_class)] += count.count;
    const RacePair example = pair(count.earlier, count.later, race_class);
    const auto key = [&](const RacePair& each) {
      return std::tuple(each.race_class, happened_.place(each.later), happened_.place(each.earlier));
    };
    if (is_first || key(example) < key(site.example)) site.example = example;
  });
  for (const auto& [key, site] : found) sites.push_back(site);
}

void mark_first(const HappenedBefore& happened, std::vector<RacePair>& listed) {
  std::map<std::uint32_t, RacePair*> first;
  const auto key = [&](const RacePair& pair) {
    return std::pair(happened.place(pair.later), happened.place(pair.earlier));
  };
  for (RacePair& pair : listed) {
    if (!is_race(pair.race_class)) continue;
    RacePair*& known = first[pair.variable];
    if (known == nullptr || key(pair) < key(*known)) known = &pair;
  }
  for (const auto& [variable, pair] : first) pair->first = true;
}

}  // namespace

std::optional<RaceClass> class_if_unordered(const HappenedBefore& happened, const LockSets& locks, std::uint32_t a,
                                            std::uint32_t b) {
  const auto group = [&](std::uint32_t event) {
    return AccessGroup{happened.events()[event].access, is_unknown(happened, event), locks.of(event), 0};
  };
  if (!conflict(group(a), group(b))) return std::nullopt;
  return class_of(group(a), group(b), locks);
}

Races find_races(const HappenedBefore& happened, const LockSets& locks, const RaceQuery& query) {
  const EventTable& events = happened.events();
  const Names& names = events.names();
  const auto by_name = [&](std::uint32_t a, std::uint32_t b) { return names[a] < names[b]; };
  std::map<std::uint32_t, VariableSearch, decltype(by_name)> variables(by_name);
  const auto sites = query.by_site ? sites_of_accesses(happened) : std::vector<std::uint32_t>();
  std::size_t bytes = 0;
  std::size_t told_bytes = 0;
  happened.walk([&](const Step& step) {
    const auto& event = events[step.event];
    if (event.access == Access::no_access || event.subject == 0) return true;
    if (query.variable && names[event.subject] != *query.variable) return true;
    const auto at = variables.try_emplace(event.subject, happened, locks, query, event.subject).first;
    bytes -= at->second.bytes();
    at->second.add(step, query.by_site ? sites[step.event] : 0);
    bytes += at->second.bytes();
    constexpr std::size_t step_of_memory = std::size_t{1} << 20U;
    if (bytes > told_bytes + step_of_memory) {
      told_bytes = bytes;
      happened.allowed().memory_beside(bytes);
    }
    return true;
  });
  Races races;
  for (const auto& [variable, search] : variables) {
    races.variables.push_back(search.totals());
    for (std::size_t i = 0; i < race_classes; ++i) races.pairs[i] += races.variables.back().pairs[i];
    search.append_listed(races.listed);
    if (query.by_site) search.append_sites(races.sites);
  }
  mark_first(happened, races.listed);
  const auto key = [&](const RacePair& pair) {
    return std::tuple(rank_of(pair.race_class), pair.sharing, names[pair.variable], happened.place(pair.later),
                      happened.place(pair.earlier));
  };
  std::ranges::sort(races.listed, {}, key);
  if (races.listed.size() > query.most_pairs) races.listed.resize(query.most_pairs);
  std::ranges::sort(races.sites, {}, [&](const SitePair& site) {
    return std::tuple(rank_of(site.example.race_class), ~std::uint64_t{0} - (site.pairs[0] + site.pairs[1]),
                      names[site.variable], side_of(names, site.site1, site.access1),
                      side_of(names, site.site2, site.access2));
  });
  return races;
}

}  // namespace raceway::causality
