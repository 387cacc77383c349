#include "postgres/jsonb_clock.hpp"

#include "postgres/numbers.hpp"

namespace raceway::postgres {
namespace {

using causality::Component;
using causality::InvalidClock;

char* text_of(Jsonb* jsonb) {
  return JsonbToCString(nullptr, &jsonb->root, static_cast<int>(VARSIZE(jsonb)));
}

/// An aligned copy of `size` bytes as a jsonb of its own.
Jsonb* aligned_copy(const char* container, std::size_t size) {
  auto* const copy = static_cast<char*>(palloc(VARHDRSZ + size));
  SET_VARSIZE(copy, VARHDRSZ + size);
  std::memcpy(copy + VARHDRSZ, container, size);
  return reinterpret_cast<Jsonb*>(copy);
}

}  // namespace

std::string JsonbView::shown() const {
  return pg_call([this] { return text_of(aligned_copy(container_, size_)); });
}

std::uint32_t JsonbView::end_of_names() const noexcept {
  // Lengths, back to the last one that says where it ends.
  std::uint32_t end = 0;
  for (std::size_t at = count(); at > 0;) {
    JEntry entry;
    std::memcpy(&entry, entries() + --at * sizeof entry, sizeof entry);
    end += JBE_OFFLENFLD(entry);
    if (JBE_HAS_OFF(entry)) break;
  }
  return end;
}

std::string JsonbChild::shown() const {
  if (is_container()) return container().shown();
  return pg_call([this] {
    JsonbValue scalar;
    scalar.type = jbvNull;
    if (is_string()) {
      scalar.type = jbvString;
      scalar.val.string.val = const_cast<char*>(string().data());
      scalar.val.string.len = static_cast<int>(string().size());
    } else if (is_numeric()) {
      scalar.type = jbvNumeric;
      scalar.val.numeric = static_cast<Numeric>(std::memcpy(palloc(numeric_size()), numeric(), numeric_size()));
    } else if (JBE_ISBOOL(entry_)) {
      scalar.type = jbvBool;
      scalar.val.boolean = JBE_ISBOOL_TRUE(entry_);
    }
    return text_of(JsonbValueToJsonb(&scalar));
  });
}

void JsonbCursor::reject() const {
  const auto kind = value_.is_numeric() ? InvalidClock::Kind::out_of_range : InvalidClock::Kind::not_a_number;
  throw InvalidClock(kind, name(), value_.shown());
}

JsonbClock::JsonbClock(const JsonbView& view) : view_(view) {
  if (!view_.is_object()) throw InvalidClock(InvalidClock::Kind::not_a_clock, {}, view_.shown());
}

void JsonbClock::check() const {
  for (JsonbCursor at = cursor(); !at.done(); at.next()) static_cast<void>(at.counter());
}

JsonbClockBuilder::JsonbClockBuilder(std::size_t capacity)
    : components_(static_cast<Component*>(MemoryContextAllocHuge(CurrentMemoryContext, capacity * sizeof(Component)))) {
}

Jsonb* JsonbClockBuilder::finish() const {
  return jsonb_of({components_, size_});
}

Jsonb* jsonb_of(std::span<const Component> clock) {
  if (clock.size() > std::min(MaxAllocSize / sizeof(JsonbPair), std::size_t{JB_CMASK})) {
    throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the vector clock is too large for a jsonb value",
                   "It has " + std::to_string(clock.size()) + " components.", "Leave out components that have ended.");
  }
  JsonbValue object;
  object.type = jbvObject;
  object.val.object.nPairs = static_cast<int>(clock.size());
  object.val.object.pairs = static_cast<JsonbPair*>(palloc(sizeof(JsonbPair) * clock.size()));
  for (std::size_t at = 0; at < clock.size(); ++at) {
    JsonbPair& pair = object.val.object.pairs[at];
    pair.key.type = jbvString;
    pair.key.val.string.val = const_cast<char*>(clock[at].name.data());
    pair.key.val.string.len = static_cast<int>(clock[at].name.size());
    pair.value.type = jbvNumeric;
    pair.value.val.numeric = numeric_of(clock[at].counter);
  }
  return JsonbValueToJsonb(&object);
}

}  // namespace raceway::postgres
