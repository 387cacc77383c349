// The SQL functions races(), race_counts(), race_sites() and audit_trail().
#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "causality/audit_trail.hpp"
#include "causality/explain.hpp"
#include "causality/races.hpp"
#include "postgres/analysis.hpp"
#include "postgres/event_values.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
}

namespace raceway::postgres {
namespace {

using causality::RaceClass;
using causality::RacePair;

/// Whose values are read at once.
constexpr std::size_t events_at_a_time = 1'000;
constexpr std::size_t unlimited = std::numeric_limits<std::uint32_t>::max();

constexpr std::size_t index_of(RaceClass race_class) {
  return static_cast<std::size_t>(race_class);
}

/// Which pairs are asked for.
struct RacesWanted {
  std::optional<std::string_view> variable;
  std::array<bool, causality::race_classes> classes = {};
  std::size_t most = unlimited;
};

RaceClass class_named(std::string_view name) {
  for (std::size_t at = 0; at < causality::race_classes; ++at) {
    if (name == causality::name_of(static_cast<RaceClass>(at))) return static_cast<RaceClass>(at);
  }
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "there is no class of races \"" + std::string(name) + "\"", {},
                 "The classes are write-write, read-write, atomic, protected and unknown.");
}

/// Raises; throws SqlError.
RacesWanted wanted_races(FunctionCallInfo fcinfo) {
  RacesWanted wanted;
  if (!PG_ARGISNULL(1)) wanted.variable = text_argument(fcinfo, 1);
  if (PG_ARGISNULL(2)) {
    wanted.classes[index_of(RaceClass::write_write)] = wanted.classes[index_of(RaceClass::read_write)] = true;
  } else {
    Datum* names = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
    for (int at = 0; at < count; ++at) {
      if (nulls[at]) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "a class of races is NULL");
      const text* const name = DatumGetTextPP(names[at]);
      wanted.classes[index_of(class_named({VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)}))] = true;
    }
  }
  if (PG_ARGISNULL(3)) return wanted;
  const std::int32_t most = PG_GETARG_INT32(3);
  if (most < 0)
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "max_pairs is " + std::to_string(most) + ", which is below 0");
  wanted.most = static_cast<std::size_t>(most);
  return wanted;
}

/// The classes whose pairs are listed among those that are wanted, without being so.
std::array<bool, causality::race_classes> classes_between(const RacesWanted& wanted) {
  std::array<bool, causality::race_classes> between = {};
  const bool any_info = std::any_of(wanted.classes.begin() + index_of(RaceClass::atomic), wanted.classes.end(),
                                    [](bool is_wanted) { return is_wanted; });
  const bool any_read = wanted.classes[index_of(RaceClass::read_write)];
  for (std::size_t at = 0; at < between.size(); ++at) {
    const bool is_listed_before = any_info || (any_read && at == index_of(RaceClass::write_write));
    between[at] = is_listed_before && !wanted.classes[at];
  }
  return between;
}

/// Those that are wanted, worst first.
std::vector<RacePair> list_races(TraceReading& trace, const RacesWanted& wanted) {
  constexpr std::size_t few = 10'000;
  causality::RaceQuery query;
  query.variable = wanted.variable;
  query.with_info = std::any_of(wanted.classes.begin() + index_of(RaceClass::atomic), wanted.classes.end(),
                                [](bool is_wanted) { return is_wanted; });
  query.most_pairs = wanted.most;
  const auto between = classes_between(wanted);
  if (wanted.most > few || std::ranges::find(between, true) != between.end()) {
    query.most_pairs = 0;
    const auto counted = causality::find_races(trace.happened(), trace.locks(), query).pairs;
    std::uint64_t pairs = 0;
    std::uint64_t others = 0;
    for (std::size_t at = 0; at < counted.size(); ++at) {
      if (wanted.classes[at]) pairs += counted[at];
      if (between[at]) others += counted[at];
    }
    query.most_pairs = std::min<std::uint64_t>(pairs, wanted.most) + others;
    // Each is kept twice while they are sorted.
    trace.keep_results(std::min<std::uint64_t>(query.most_pairs, unlimited) * 2 * sizeof(RacePair));
  }
  auto pairs = causality::find_races(trace.happened(), trace.locks(), query).listed;
  std::erase_if(pairs, [&](const RacePair& pair) { return !wanted.classes[index_of(pair.race_class)]; });
  if (pairs.size() > wanted.most) pairs.resize(wanted.most);
  return pairs;
}

/// The names of the locks that are held at an access, one that is held beside others said to be so.
class LockNames {
 public:
  LockNames(TraceReading& trace, std::uint32_t event) {
    for (const auto& lock : trace.locks().locks(trace.locks().of(event)))
      names_.push_back(std::string(trace.name(lock.lock)) + (lock.shared ? " (shared)" : ""));
    std::ranges::sort(names_);
    for (const auto& name : names_) views_.push_back(name);
  }

  Value value() const { return Value::texts(views_); }

 private:
  std::vector<std::string> names_;
  std::vector<std::string_view> views_;
};

void add_race(TraceReading& trace, ResultRows& rows, const RacePair& pair, std::uint32_t last_common,
              std::span<const EventValues> values) {
  const auto& events = trace.events();
  const auto& one = events[pair.earlier];
  const auto& two = events[pair.later];
  const auto& of_one = events.origin(pair.earlier);
  const auto& of_two = events.origin(pair.later);
  const LockNames locks1(trace, pair.earlier);
  const LockNames locks2(trace, pair.later);
  rows.add({Value::text(trace.name(pair.variable)),
            Value::text(causality::severity_of(pair.race_class)),
            Value::text(causality::name_of(pair.race_class)),
            Value::text(causality::name_of(pair.sharing)),
            Value::flag(pair.first),
            Value::text(trace.id(pair.earlier)),
            Value::text(trace.id(pair.later)),
            Value::name(trace.name(one.location)),
            Value::name(trace.name(two.location)),
            Value::text(causality::name_of(one.access)),
            Value::text(causality::name_of(two.access)),
            Value::name(trace.name(of_one.thread)),
            Value::name(trace.name(of_two.thread)),
            Value::name(trace.name(of_one.service)),
            Value::name(trace.name(of_two.service)),
            values[0].new_value,
            values[1].new_value,
            values[0].vector_clock,
            values[1].vector_clock,
            Value::name(trace.id(last_common)),
            locks1.value(),
            locks2.value(),
            Value::interval(one.timestamp, two.timestamp)});
}

/// So many pairs at a time that what their witnesses know of is a small part of what an analysis may take.
std::size_t pairs_at_a_time(const TraceReading& trace) {
  const std::size_t bytes = static_cast<std::size_t>(max_analysis_bytes) / 16;
  const std::size_t bytes_of_a_pair = 2 * sizeof(causality::Heard) * (std::size_t{trace.happened().lines()} + 1);
  return std::clamp<std::size_t>(bytes / bytes_of_a_pair, 1, events_at_a_time / 2);
}

void add_races(TraceReading& trace, ResultRows& rows, const RacesWanted& wanted) {
  const auto races = list_races(trace, wanted);
  EventValuesReader reader(trace);
  const std::size_t step = pairs_at_a_time(trace);
  for (std::size_t begin = 0; begin < races.size(); begin += step) {
    const auto some = std::span(races).subspan(begin, std::min(step, races.size() - begin));
    std::vector<causality::EventPair> pairs;
    std::vector<std::uint32_t> events;
    for (const RacePair& race : some) {
      pairs.push_back({race.earlier, race.later});
      events.insert(events.end(), {race.earlier, race.later});
    }
    const auto witnesses = causality::find_witnesses(trace.happened(), pairs);
    const auto values = reader.read(events);
    for (std::size_t at = 0; at < some.size(); ++at)
      add_race(trace, rows, some[at], witnesses[at].last_common, std::span(values).subspan(2 * at, 2));
  }
}

void add_counts(TraceReading& trace, ResultRows& rows) {
  const auto races = causality::find_races(trace.happened(), trace.locks(), {.most_pairs = 0});
  for (const auto& each : races.variables) {
    const auto pairs = [&](RaceClass race_class) { return Value::count(each.pairs[index_of(race_class)]); };
    rows.add({Value::text(trace.name(each.variable)), Value::count(each.accesses.total()),
              Value::count(each.accesses.all_writes()), Value::count(each.accesses.atomic_reads),
              Value::count(each.accesses.atomic_writes), pairs(RaceClass::write_write), pairs(RaceClass::read_write),
              pairs(RaceClass::atomic), pairs(RaceClass::guarded), pairs(RaceClass::unknown)});
  }
}

void add_sites(TraceReading& trace, ResultRows& rows) {
  const auto races = causality::find_races(trace.happened(), trace.locks(), {.most_pairs = 0, .by_site = true});
  for (const auto& site : races.sites) {
    const auto pairs = [&](RaceClass race_class) { return site.pairs[index_of(race_class)]; };
    rows.add({Value::text(trace.name(site.variable)), Value::name(trace.name(site.site1)),
              Value::text(causality::name_of(site.access1)), Value::name(trace.name(site.site2)),
              Value::text(causality::name_of(site.access2)),
              Value::count(pairs(RaceClass::write_write) + pairs(RaceClass::read_write)),
              Value::count(pairs(RaceClass::guarded)), Value::text(causality::severity_of(site.example.race_class)),
              Value::text(trace.id(site.example.earlier)), Value::text(trace.id(site.example.later))});
  }
}

void add_accesses(TraceReading& trace, ResultRows& rows, std::span<const causality::AuditEntry> accesses) {
  std::vector<std::uint32_t> events;
  for (const auto& access : accesses) events.push_back(access.event);
  EventValuesReader reader(trace);
  const auto values = reader.read(events);
  for (std::size_t at = 0; at < accesses.size(); ++at) {
    const std::uint32_t event = accesses[at].event;
    const auto& fact = trace.events()[event];
    const auto& origin = trace.events().origin(event);
    const LockNames locks(trace, event);
    rows.add({Value::integer(trace.happened().place(event) + 1), Value::text(trace.id(event)),
              Value::timestamp(fact.timestamp), Value::name(trace.name(origin.service)),
              Value::name(trace.name(origin.thread)), Value::text(causality::name_of(fact.access)),
              values[at].old_value, values[at].new_value, Value::name(trace.name(fact.location)),
              Value::flag(accesses[at].after_previous), Value::flag(accesses[at].races_with_previous), locks.value()});
  }
}

}  // namespace

RACEWAY_FUNCTION(raceway_races) {
  const RacesWanted wanted = wanted_races(fcinfo);
  return answer_rows(fcinfo, [&](TraceReading& trace, ResultRows& rows) { add_races(trace, rows, wanted); });
}

RACEWAY_FUNCTION(raceway_race_counts) {
  return answer_rows(fcinfo, add_counts);
}

RACEWAY_FUNCTION(raceway_race_sites) {
  return answer_rows(fcinfo, add_sites);
}

RACEWAY_FUNCTION(raceway_audit_trail) {
  const std::string_view variable = text_argument(fcinfo, 1);
  return answer_rows(fcinfo, [&](TraceReading& trace, ResultRows& rows) {
    const auto trails = causality::audit_trails(trace.happened(), trace.locks(), variable);
    for (const auto& trail : trails) {
      const std::span accesses = trail.accesses;
      for (std::size_t at = 0; at < accesses.size(); at += events_at_a_time)
        add_accesses(trace, rows, accesses.subspan(at, std::min(events_at_a_time, accesses.size() - at)));
    }
  });
}

}  // namespace raceway::postgres
