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
  for (auto at = clock.begin(); at != clock.end();) {
    // Names that lie next to each other, as those of one clock do, are copied at once.
    const char* const names = at->name.data();
    char* const to = data + end;
    std::size_t size = 0;
    for (; at != clock.end() && at->name.data() == names + size; ++at) {
      size += at->name.size();
      add_entry(JENTRY_ISSTRING, static_cast<std::uint32_t>(at->name.size()));
    }
    if (size > 0) std::memcpy(to, names, size);  // an empty name may be nowhere
  }
  for (const Component& component : clock) {
    const auto padding = static_cast<std::uint32_t>(INTALIGN(end)) - end;
    constexpr std::uint32_t zeros = 0;  // those too many are overwritten
    std::memcpy(data + end, &zeros, sizeof zeros);
    const auto size = static_cast<std::uint32_t>(write_numeric(data + end + padding, component.counter));
    add_entry(JENTRY_ISNUMERIC, padding + size);
  }
  SET_VARSIZE(jsonb, static_cast<std::size_t>(data - jsonb) + end);
  return reinterpret_cast<Jsonb*>(jsonb);
}

}  // namespace raceway::postgres
