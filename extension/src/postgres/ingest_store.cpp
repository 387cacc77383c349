#include "postgres/ingest_store.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "postgres/ingest_direct.hpp"
#include "postgres/ingest_spi.hpp"
#include "postgres/subtransaction.hpp"

namespace raceway::postgres {
namespace {

using wire::Event;
using Events = std::span<const Event* const>;

/// Whether an error speaks of the events themselves, so that without one of them the others may pass.
bool blames_an_event(int code) {
  const std::string sqlstate = unpack_sql_state(code);
  for (const char* const general : {"08", "0A", "25", "26", "3D", "3F", "40", "42", "53", "55", "57", "58", "XX"}) {
    if (sqlstate.starts_with(general)) return false;
  }
  return true;
}

/// Attempts to store events in a subtransaction; says nothing, and leaves nothing, where the attempt says nothing or
/// the database refused them. `refusal` is set in the second case only.
template <class Attempt>
std::optional<std::vector<StoreOutcome>> try_events(std::string& refusal, Attempt&& attempt_them) {
  Subtransaction subtransaction;
  try {
    std::optional<std::vector<StoreOutcome>> outcomes = attempt_them();
    if (outcomes) {
      subtransaction.commit();
      return outcomes;
    }
  } catch (const PostgresError& error) {
    if (!blames_an_event(error.sqlstate())) throw;
    refusal = std::string("the database refuses it: ") + error.what();
  } catch (const SqlError& error) {
    if (!blames_an_event(error.sqlstate())) throw;
    refusal = std::string("the database refuses it: ") + error.what();
  }
  subtransaction.rollback();
  return std::nullopt;
}

/// By one statement for all of them, which come in the order of their identity.
std::optional<std::vector<StoreOutcome>> try_by_sql(Events events, EventIdentity identity, std::string& refusal) {
  return try_events(refusal, [&] { return std::optional(offer_by_sql(events, identity)); });
}

/// Those of the events that the database refuses when it is offered one after the other, by their place.
using Refusals = std::map<std::size_t, std::string>;

/// Offers the events from `from` on, one by one, until one is refused, and takes all of them back. So a batch costs a
/// transaction id for each refused event, not one for each attempt at it. What has been offered is no reason to wait
/// for others: an event after a trace is not the order in which batches wait for each other. Answers where to go on.
std::size_t probe(Events events, std::size_t from, EventIdentity identity, Refusals& refusals) {
  std::size_t at = from;
  std::string refusal;
  bool is_held = false;
  try_events(refusal, [&]() -> std::optional<std::vector<StoreOutcome>> {
    limit_waits();
    try {
      for (; at < events.size(); ++at) offer_by_sql(events.subspan(at, 1), identity);
    } catch (const PostgresError& error) {
      is_held = error.sqlstate() == ERRCODE_LOCK_NOT_AVAILABLE;
      if (!is_held) throw;
    }
    return std::nullopt;
  });
  // Now with nothing in hand.
  if (is_held)
    try_events(refusal, [&] {
      offer_by_sql(events.subspan(at, 1), identity);
      return std::optional<std::vector<StoreOutcome>>();
    });
  if (!is_held && !refusal.empty()) refusals.emplace(at++, refusal);
  return at;
}

/// The events come in the order of their identity.
std::vector<StoreOutcome> store_sorted(Events events, EventIdentity identity) {
  std::string refusal;
  if (auto outcomes = try_by_sql(events, identity, refusal)) return std::move(*outcomes);
  Refusals refusals;
  for (std::size_t at = 0; at < events.size();) at = probe(events, at, identity, refusals);

  std::vector<const Event*> accepted;
  for (std::size_t at = 0; at < events.size(); ++at) {
    if (!refusals.contains(at)) accepted.push_back(events[at]);
  }
  auto together = try_by_sql(accepted, identity, refusal);
  std::vector<StoreOutcome> outcomes;
  for (std::size_t at = 0, of_accepted = 0; at < events.size(); ++at) {
    const auto refused = refusals.find(at);
    if (refused != refusals.end()) {
      outcomes.push_back({StoreOutcome::Kind::refused, refused->second});
    } else if (together) {
      outcomes.push_back(std::move((*together)[of_accepted++]));
    } else {
      // Refused as a whole, and not alone.
      auto alone = try_by_sql(events.subspan(at, 1), identity, refusal);
      outcomes.push_back(alone ? std::move(alone->front()) : StoreOutcome{StoreOutcome::Kind::refused, refusal});
    }
  }
  return outcomes;
}

/// By SQL, in the order in which batches wait for each other.
std::vector<StoreOutcome> store_by_spi(Events events, EventIdentity identity) {
  std::vector<std::size_t> by_id(events.size());
  std::iota(by_id.begin(), by_id.end(), std::size_t{0});
  std::sort(by_id.begin(), by_id.end(),
            [&](std::size_t a, std::size_t b) { return identity.before(*events[a], *events[b]); });
  std::vector<const Event*> sorted;
  for (const auto at : by_id) sorted.push_back(events[at]);
  auto answers = store_sorted(sorted, identity);
  std::vector<StoreOutcome> outcomes(events.size());
  for (std::size_t at = 0; at < by_id.size(); ++at) outcomes[by_id[at]] = std::move(answers[at]);
  return outcomes;
}

}  // namespace

int wanted_ingest_way = static_cast<int>(IngestWay::automatic);

const char* name_of(IngestWay way) {
  switch (way) {
    case IngestWay::automatic:
      return "automatic";
    case IngestWay::direct:
      return "direct";
    case IngestWay::checking:
      return "checking";
    case IngestWay::spi:
      return "spi";
  }
  return "spi";
}

std::vector<StoreOutcome> store_events(Events events, const DirectLayout& layout, IngestWay& way) {
  way = IngestWay::spi;
  if (events.empty()) return {};
  const char* obstacle = layout.obstacle;
  std::vector<DirectTarget> targets;
  if (obstacle == nullptr) obstacle = find_targets(events, layout, targets);
  if (obstacle == nullptr) {
    way = static_cast<IngestWay>(wanted_ingest_way);
  } else {
    pg_call([obstacle] { elog(DEBUG1, "raceway: ingest by SQL: %s", obstacle); });
  }
  while (way != IngestWay::spi) {
    std::string refusal;
    auto outcomes = try_events(refusal, [&] { return store_directly(events, layout, targets, way); });
    if (outcomes) return std::move(*outcomes);
    // Contested by others: to check first is to wait for them without a row of our own in the table. Refused: only SQL
    // can tell the refused events from the others.
    way = refusal.empty() && way == IngestWay::direct ? IngestWay::checking : IngestWay::spi;
  }
  return store_by_spi(events, {layout.is_partitioned});
}

}  // namespace raceway::postgres
