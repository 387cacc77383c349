#include "postgres/jsonb_clock.hpp"

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

JsonbEntries::JsonbEntries(const JsonbView& container, std::uint32_t first) noexcept
    : entries_(container.entries()), data_(container.data()), index_(first), end_(first + container.count()) {
  // The start is the end of the entry before: back to the last one that says where it ends, and forth with lengths.
  std::uint32_t from = first;
  while (from > 0 && !JBE_HAS_OFF(entry_at(from - 1))) --from;
  if (from > 0) --from;
  for (; from < first; ++from) offset_ = offset_after(entry_at(from));
}

std::string JsonbEntries::shown() const {
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
      const std::size_t size = offset_after(entry()) - INTALIGN(offset_);
      scalar.val.numeric = static_cast<Numeric>(std::memcpy(palloc(size), numeric(), size));
    } else if (JBE_ISBOOL(entry())) {
      scalar.type = jbvBool;
      scalar.val.boolean = JBE_ISBOOL_TRUE(entry());
    }
    return text_of(JsonbValueToJsonb(&scalar));
  });
}

void JsonbCursor::reject() const {
  const auto kind = values_.is_numeric() ? InvalidClock::Kind::out_of_range : InvalidClock::Kind::not_a_number;
  throw InvalidClock(kind, name(), values_.shown());
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
  std::size_t names_size = 0;
  for (const Component& component : clock) names_size += component.name.size();
  const std::size_t entries_size = 2 * clock.size() * sizeof(JEntry);
  // Each counter with the padding before it; the first one may need more padding than its size leaves room for.
  const std::size_t most_data = names_size + clock.size() * INTALIGN(counter_numeric_size) + sizeof(std::uint32_t);
  if (clock.size() > JB_CMASK || most_data > JENTRY_OFFLENMASK) {
    throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the vector clock is too large for a jsonb value",
                   "It has " + std::to_string(clock.size()) + " components.", "Leave out components that have ended.");
  }
  auto* const jsonb = static_cast<char*>(palloc(VARHDRSZ + sizeof(std::uint32_t) + entries_size + most_data));
  const auto header = static_cast<std::uint32_t>(clock.size()) | JB_FOBJECT;
  std::memcpy(jsonb + VARHDRSZ, &header, sizeof header);
  char* const entries = jsonb + VARHDRSZ + sizeof header;
  char* const data = entries + entries_size;

  std::size_t index = 0;
  std::uint32_t end = 0;
  const auto add_entry = [&](std::uint32_t type, std::uint32_t length) {
    end += length;
    const JEntry entry = type | (index % JB_OFFSET_STRIDE == 0 ? end | JENTRY_HAS_OFF : length);
    std::memcpy(entries + index * sizeof entry, &entry, sizeof entry);
    ++index;
  };
  for (const Component& component : clock) {
    std::memcpy(data + end, component.name.data(), component.name.size());
    add_entry(JENTRY_ISSTRING, static_cast<std::uint32_t>(component.name.size()));
  }
  for (const Component& component : clock) {
    const auto padding = static_cast<std::uint32_t>(INTALIGN(end)) - end;
    std::memset(data + end, 0, padding);
    const auto size = static_cast<std::uint32_t>(write_numeric(data + end + padding, component.counter));
    add_entry(JENTRY_ISNUMERIC, padding + size);
  }
  SET_VARSIZE(jsonb, static_cast<std::size_t>(data - jsonb) + end);
  return reinterpret_cast<Jsonb*>(jsonb);
}

}  // namespace raceway::postgres
