#include "postgres/ingest_store.hpp"

#include <algorithm>
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

/// Attempts the events in a subtransaction; says nothing, and leaves nothing, where the attempt says nothing or the
/// database refused them. `refusal` is set in the second case only.
template <class Attempt>
std::optional<std::vector<StoreOutcome>> try_events(Events events, std::string& refusal, Attempt&& attempt_them) {
  Subtransaction subtransaction;
  try {
    std::optional<std::vector<StoreOutcome>> outcomes = attempt_them(events);
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

/// Offers the events, sorted by id, by SQL, and splits what is refused until the refused events stand alone.
std::vector<StoreOutcome> store_sorted(Events events, EventIdentity identity) {
  std::vector<StoreOutcome> outcomes(events.size());
  // Parts still to be offered, the last one next: a refused part comes back as its two halves.
  std::vector<std::pair<std::size_t, std::size_t>> parts = {{0, events.size()}};
  while (!parts.empty()) {
    check_for_interrupts();
    const auto [from, to] = parts.back();
    parts.pop_back();
    std::string refusal;
    auto part = try_events(events.subspan(from, to - from), refusal,
                           [identity](Events offered) { return std::optional(offer_by_sql(offered, identity)); });
    if (part) {
      std::move(part->begin(), part->end(), outcomes.begin() + static_cast<std::ptrdiff_t>(from));
    } else if (to - from == 1) {
      outcomes[from] = {StoreOutcome::Kind::refused, refusal};
    } else {
      const std::size_t middle = from + (to - from) / 2;
      parts.emplace_back(middle, to);
      parts.emplace_back(from, middle);
    }
  }
  return outcomes;
}

/// By SQL, in the order of the ids, in which batches wait for each other.
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
    auto outcomes = try_events(events, refusal, [&](Events all) { return store_directly(all, layout, targets, way); });
    if (outcomes) return std::move(*outcomes);
    // Contested by others: to check first is to wait for them without a row of our own in the table. Refused: only SQL
    // can tell the refused events from the others.
    way = refusal.empty() && way == IngestWay::direct ? IngestWay::checking : IngestWay::spi;
  }
  return store_by_spi(events, {layout.is_partitioned});
}

}  // namespace raceway::postgres
