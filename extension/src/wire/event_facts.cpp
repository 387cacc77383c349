#include "wire/event_facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "wire/arena.hpp"
#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/row_json.hpp"
#include "wire/span_events.hpp"

namespace raceway::wire {
namespace {

using causality::Access;
using causality::Kind;

/// A kind, and the field of its variant that it is about.
struct KnownKind {
  std::string_view name;
  Kind kind;
  std::string_view subject;
};
constexpr std::array known_kinds = {
    KnownKind{"FunctionCall", Kind::function_call, "function_name"},
    KnownKind{"AsyncSpawn", Kind::async_spawn, "task_id"},
    KnownKind{"AsyncAwait", Kind::async_await, "future_id"},
    KnownKind{"StateChange", Kind::state_change, "variable"},
    KnownKind{"LockAcquire", Kind::lock_acquire, "lock_id"},
    KnownKind{"LockRelease", Kind::lock_release, "lock_id"},
    KnownKind{"HttpRequest", Kind::http_request, ""},
    KnownKind{"HttpResponse", Kind::http_response, ""},
    KnownKind{"DatabaseQuery", Kind::database_query, ""},
};
constexpr std::array accesses = {
    std::pair{std::string_view("Read"), Access::read},
    std::pair{std::string_view("Write"), Access::write},
    std::pair{std::string_view("AtomicRead"), Access::atomic_read},
    std::pair{std::string_view("AtomicWrite"), Access::atomic_write},
    std::pair{std::string_view("AtomicRMW"), Access::atomic_rmw},
};

std::string_view text_of(const Json& metadata, std::string_view name) {
  const Json* value = metadata.find(name);
  // A process id is a number, and as good a name as its digits.
  if (value == nullptr || (!value->is(Json::Type::string) && !value->is(Json::Type::number))) return {};
  return value->text();
}

/// A change of state is a write unless it says something else.
Access access_of(const Json& metadata) {
  const auto name = text_of(metadata, "access_type");
  const auto* const known = std::ranges::find(accesses, name, &std::pair<std::string_view, Access>::first);
  return known == accesses.end() ? Access::write : known->second;
}

bool is_shared_lock(std::string_view type) {
  constexpr std::string_view word = "read";
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return std::search(type.begin(), type.end(), word.begin(), word.end(), same) != type.end();
}

/// In whole nanoseconds, so that sums do not depend on their order.
std::optional<std::int64_t> duration_of(const Row& row, const Json& metadata) {
  const auto text = text_of(metadata, fields::duration_ns);
  std::int64_t nanos = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), nanos);
  if (!text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size() && nanos >= 0) return nanos;
  constexpr double nanos_in_a_millisecond = 1e6;
  constexpr double most = 9e12;  // milliseconds, beyond three hundred years
  if (!row.duration_ms || !(*row.duration_ms >= 0) || !(*row.duration_ms < most)) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(static_cast<double>(*row.duration_ms) * nanos_in_a_millisecond));
}

/// The ids of the events that the links of a span lead to.
std::vector<std::string_view> links_in(const Json& metadata) {
  std::vector<std::string_view> ids;
  const Json* const otel = find_otel(metadata);
  const Json* const links = otel != nullptr ? otel->find(fields::links) : nullptr;
  if (links == nullptr || !links->is(Json::Type::array)) return ids;
  for (const Json& link : links->as_array()) {
    const Json* const id = link.find(fields::event_id);
    if (id != nullptr && id->is(Json::Type::string)) ids.push_back(id->text());
  }
  return ids;
}

}  // namespace

ReadFacts read_facts(const Row& row) {
  ReadFacts read;
  read.memory = std::make_shared<Arena>();
  read.metadata = read_row_object(row.metadata, *read.memory);
  const Json& metadata = read.metadata;
  auto& facts = read.facts;
  const Json* parent = metadata.find(fields::parent_id);
  if (parent != nullptr && parent->is(Json::Type::string)) read.parent_id = parent->text();
  read.link_ids = links_in(metadata);
  facts.timestamp = row.timestamp;
  facts.nanos = nanos_in(metadata);
  const auto* const known = std::ranges::find(known_kinds, row.kind, &KnownKind::name);
  if (known != known_kinds.end()) {
    facts.kind = known->kind;
    if (!known->subject.empty()) facts.subject = text_of(metadata, known->subject);
  }
  if (facts.kind == Kind::state_change) facts.access = access_of(metadata);
  facts.shared_lock = is_shared_lock(text_of(metadata, "lock_type"));
  facts.location = row.location.value_or(std::string_view());
  facts.origin = {text_of(metadata, fields::service_name),        text_of(metadata, fields::instance_id),
                  text_of(metadata, fields::process_id),          text_of(metadata, fields::thread_id),
                  text_of(metadata, fields::distributed_span_id), text_of(metadata, fields::upstream_span_id)};
  facts.duration_nanos = duration_of(row, metadata);
  if (const Json* locks = metadata.find(fields::lock_set); locks != nullptr && locks->is(Json::Type::array)) {
    for (const Json& lock : locks->as_array()) {
      if (lock.is(Json::Type::string)) read.locks.push_back(lock.text());
    }
  }
  facts.locks = read.locks;
  try {
    const Json clock = read_row_object(row.vector_clock, *read.memory);
    facts.clock = read_clock(clock, fields::vector_clock, *read.memory).components;
  } catch (const EventError&) {
    // Put there by hand, and no clock: an event without one.
  }
  return read;
}

}  // namespace raceway::wire
