// Races in one trace: conflicting accesses that nothing orders, counted exactly without looking at each pair.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "causality/happened_before.hpp"
#include "causality/locksets.hpp"

namespace raceway::causality {

/// Of two accesses to one variable that nothing orders, one of which writes.
enum class RaceClass : std::uint8_t {
  write_write,  ///< both write, one of them at least not atomically
  read_write,   ///< likewise, and one reads
  atomic,       ///< both are atomic
  guarded,      ///< a common lock keeps them apart, in one order or the other
  unknown,      ///< one of them has no thread, no clock and no parent, so nothing is known of it
};
inline constexpr std::size_t race_classes = 5;

/// As SQL and JSON spell it.
std::string_view name_of(RaceClass race_class);
/// CRITICAL, WARNING or INFO.
std::string_view severity_of(RaceClass race_class);
constexpr bool is_race(RaceClass race_class) {
  return race_class <= RaceClass::read_write;
}

/// As the SDKs spell it: Read, Write, AtomicRead, AtomicWrite, AtomicRMW; empty for none.
std::string_view name_of(Access access);
constexpr bool writes(Access access) {
  return access == Access::write || access == Access::atomic_write || access == Access::atomic_rmw;
}
constexpr bool is_atomic(Access access) {
  return access >= Access::atomic_read;
}

/// What the two sides certainly have in common; names of variables may collide between programs that share nothing.
enum class Sharing : std::uint8_t { process, service, name };
std::string_view name_of(Sharing sharing);

struct RacePair {
  std::uint32_t variable = 0;  ///< number of its name
  RaceClass race_class = RaceClass::write_write;
  Sharing sharing = Sharing::process;
  std::uint32_t earlier = 0;  ///< in the linear order
  std::uint32_t later = 0;
  bool first = false;  ///< the first race of its variable in the linear order: the one to mend first
};

using ClassCounts = std::array<std::uint64_t, race_classes>;

/// Accesses to a variable by what decides whether two of them conflict.
struct AccessCounts {
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t atomic_reads = 0;
  std::uint64_t atomic_writes = 0;

  void add(Access access) {
    const bool atomic = is_atomic(access);
    ++(causality::writes(access) ? (atomic ? atomic_writes : writes) : (atomic ? atomic_reads : reads));
  }
  std::uint64_t total() const { return reads + writes + atomic_reads + atomic_writes; }
  std::uint64_t all_writes() const { return writes + atomic_writes; }
};

struct VariableRaces {
  std::uint32_t variable = 0;
  AccessCounts accesses;
  ClassCounts pairs = {};

  std::uint64_t races() const { return pairs[0] + pairs[1]; }
};

/// A pair of places in the program, the smaller (site, access) first, so that it does not show who came first.
struct SitePair {
  std::uint32_t variable = 0;
  std::uint32_t site1 = 0;  ///< number of a name; none: one of the many beyond most_sites
  Access access1 = Access::no_access;
  std::uint32_t site2 = 0;
  Access access2 = Access::no_access;
  ClassCounts pairs = {};
  RacePair example;  ///< of its most severe class
};

/// Sites of a variable that are told apart.
inline constexpr std::uint32_t most_sites = 64;

struct RaceQuery {
  std::optional<std::string_view> variable = std::nullopt;  ///< of all otherwise
  std::size_t most_pairs = 100;
  bool with_info = false;  ///< list atomic, guarded and unknown pairs as well
  bool by_site = false;
};

struct Races {
  std::vector<VariableRaces> variables;  ///< by name, bytewise; all that are accessed
  ClassCounts pairs = {};
  std::vector<RacePair> listed;  ///< by (severity, sharing, variable, later, earlier), at most so many as asked for
  std::vector<SitePair> sites;   ///< by (severity, more pairs, variable, sites)
};

/// One walk: each access is held against the groups of those before it, of which it races with all but those it has
/// heard of. Cost: what the effective clocks hold, and (accesses x groups), a group being what is the same in access,
/// lock set and site.
Races find_races(const HappenedBefore& happened, const LockSets& locks, const RaceQuery& query);

/// Whether nothing at all is told of when it happened but its time: no thread, no clock, no parent.
bool is_unknown(const HappenedBefore& happened, std::uint32_t event);

/// What kind of race it is where nothing orders these two accesses to one variable, or nothing where neither writes.
std::optional<RaceClass> class_if_unordered(const HappenedBefore& happened, const LockSets& locks, std::uint32_t a,
                                            std::uint32_t b);

/// The place in the program that an access is told at; where that is within an SDK, the function that the strand was
/// in.
std::vector<std::uint32_t> sites_of_accesses(const HappenedBefore& happened);

}  // namespace raceway::causality
