#include "postgres/portable_ingest.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <span>
#include <utility>

#include "wire/sendings.hpp"

namespace raceway::server::postgres {
namespace {

using wire::Event;

constexpr const char* ingest_rows =
    "SELECT place::bigint, standing, refusal FROM raceway.ingest_rows($1::text[], $2::text[], $3::text[],"
    " $4::timestamp[], $5::real[], $6::text[], $7::jsonb[], $8::jsonb[])";

// The types' object ids, fixed in every PostgreSQL (catalog/pg_type.dat).
enum class ElementType : std::uint32_t { text = 25, real = 700, timestamp = 1114, jsonb = 3802 };

template <class Integer>
std::array<char, sizeof(Integer)> big_endian(Integer value) {
  if constexpr (std::endian::native == std::endian::little) {
    auto bytes = std::bit_cast<std::array<char, sizeof(Integer)>>(value);
    std::reverse(bytes.begin(), bytes.end());
    return bytes;
  } else {
    return std::bit_cast<std::array<char, sizeof(Integer)>>(value);
  }
}

/// One column of a batch as an array in PostgreSQL's binary form, built as it goes.
class Column {
 public:
  Column(ElementType type, std::size_t size, std::size_t expected_bytes) {
    bytes_.reserve(header_size + size * sizeof(std::int32_t) + expected_bytes);
    append(std::int32_t{1});
    append(std::int32_t{1});  // it may hold NULLs
    append(static_cast<std::uint32_t>(type));
    append(static_cast<std::int32_t>(size));
    append(std::int32_t{1});
  }

  void add_null() { append(std::int32_t{-1}); }
  void add(std::string_view text) {
    append(static_cast<std::int32_t>(text.size()));
    bytes_ += text;
  }
  template <class Integer>
  void add_number(Integer value) {
    append(static_cast<std::int32_t>(sizeof value));
    append(value);
  }
  /// Adds a jsonb that `write(bytes)` appends as text.
  template <class Write>
  void add_json(Write write) {
    constexpr char version = 1;
    const std::size_t place = bytes_.size();
    append(std::int32_t{0});
    bytes_ += version;
    write(bytes_);
    const auto size = big_endian(static_cast<std::int32_t>(bytes_.size() - place - sizeof(std::int32_t)));
    std::copy(size.begin(), size.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(place));
  }

  PgParameter parameter() && {
    PgParameter parameter;
    parameter.is_null = false;
    parameter.owned = std::move(bytes_);
    return parameter;
  }

 private:
  static constexpr std::size_t header_size = 5 * sizeof(std::int32_t);

  template <class Integer>
  void append(Integer value) {
    const auto bytes = big_endian(value);
    bytes_.append(bytes.data(), bytes.size());
  }

  std::string bytes_;
};

std::vector<PgParameter> columns_of(const std::vector<const Event*>& events) {
  constexpr std::size_t usual_id = 40;
  constexpr std::size_t usual_metadata = 400;
  const std::size_t size = events.size();
  Column event_id(ElementType::text, size, size * usual_id);
  Column trace_id(ElementType::text, size, size * usual_id);
  Column kind(ElementType::text, size, size * usual_id);
  Column timestamp(ElementType::timestamp, size, size * sizeof(wire::Micros));
  Column duration(ElementType::real, size, size * sizeof(float));
  Column location(ElementType::text, size, size * usual_id);
  Column clock(ElementType::jsonb, size, size * usual_id);
  Column metadata(ElementType::jsonb, size, size * usual_metadata);
  for (const Event* const event : events) {
    event_id.add(event->event_id);
    trace_id.add(event->trace_id);
    kind.add(event->kind);
    timestamp.add_number(event->timestamp);
    event->duration_ms ? duration.add_number(std::bit_cast<std::uint32_t>(*event->duration_ms)) : duration.add_null();
    event->location ? location.add(*event->location) : location.add_null();
    event->has_clock ? clock.add_json([event](std::string& out) { wire::append_json_clock(out, event->clock); })
                     : clock.add_null();
    metadata.add_json([event](std::string& out) { wire::append_json(out, event->metadata); });
  }
  std::vector<PgParameter> parameters;
  for (Column* const column : {&event_id, &trace_id, &kind, &timestamp, &duration, &location, &clock, &metadata}) {
    parameters.push_back(std::move(*column).parameter());
  }
  return parameters;
}

/// Offers the events by ascending id; answers in their order.
std::vector<wire::StoreOutcome> offer(PgConnection& connection, const std::vector<const Event*>& events) {
  using Kind = wire::StoreOutcome::Kind;
  std::vector<wire::StoreOutcome> outcomes(events.size(), {Kind::stored, {}});
  if (events.empty()) return outcomes;
  const auto others = connection.run(ingest_rows, columns_of(events));
  for (int row = 0; row < others.rows(); ++row) {
    auto& outcome = outcomes.at(static_cast<std::size_t>(others.int64(row, 0) - 1));
    const bool stands = !others.is_null(row, 1);
    outcome.kind = stands ? Kind::stands_already : Kind::refused;
    outcome.text = others.text(row, stands ? 1 : 2);
    if (stands && !others.is_null(row, 2)) outcome.other_contents = others.text(row, 2);
  }
  return outcomes;
}

}  // namespace

std::vector<storage::IngestResult> ingest_portably(PgConnection& connection,
                                                   const std::vector<std::string_view>& bodies) {
  std::vector<wire::Batch> batches;
  std::vector<wire::BodyOutcome> reported(bodies.size());
  for (std::size_t body = 0; body < bodies.size(); ++body) {
    batches.push_back(wire::read_batch(bodies[body]));
    reported[body].rejected = std::move(batches[body].rejected);
  }
  // Whether the key holds the time, the tables know: events of one id and several times are all offered, the one that
  // was sent first before the others.
  constexpr wire::EventIdentity identity = {.with_time = true};
  wire::Allowance unlimited;
  const auto sendings = wire::sendings_by_identity(batches, identity, unlimited);
  auto groups = wire::group_by_event(sendings, identity);
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.front().event->event_id < b.front().event->event_id; });
  std::vector<const Event*> events;
  for (const auto& group : groups) events.push_back(group.front().event);

  std::vector<wire::Sending> open;
  auto outcomes = offer(connection, events);
  for (std::size_t at = 0; at < groups.size(); ++at) wire::count_sendings(groups[at], outcomes[at], reported, open);
  wire::sort_by_id(open);
  events.clear();
  for (const auto& sending : open) events.push_back(sending.event);
  outcomes = offer(connection, events);
  for (std::size_t at = 0; at < open.size(); ++at) wire::count_sending(open[at], outcomes[at], reported);
  std::vector<storage::IngestResult> results;
  for (auto& body : reported) {
    body.rejected.sort();
    results.push_back({body.stored, body.duplicates, std::move(body.rejected)});
  }
  return results;
}

}  // namespace raceway::server::postgres
