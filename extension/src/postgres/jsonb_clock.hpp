// Clocks in PostgreSQL's jsonb, read where they lie and written directly.
//
// The form is described in utils/jsonb.h: a header with the count, one entry word for each child (an object's keys
// first, then its values), then the children's bytes. A jsonb below 127 bytes is stored with a one-byte header, which
// leaves the rest at any address: what is read here is therefore read byte-wise, and never copied to align it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "causality/clock.hpp"
#include "causality/clock_error.hpp"
#include "postgres/boundary.hpp"
#include "postgres/numeric_counter.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace raceway::postgres {

/// A jsonb, or a container within one, where it lies.
class JsonbView {
 public:
  /// A function's argument, not copied unless it was compressed or stored out of line. Raises.
  explicit JsonbView(Datum jsonb) {
    const auto* const varlena = reinterpret_cast<const char*>(PG_DETOAST_DATUM_PACKED(jsonb));
    container_ = VARDATA_ANY(varlena);
    size_ = VARSIZE_ANY_EXHDR(varlena);
  }
  /// `container` needs no alignment.
  JsonbView(const char* container, std::size_t size) noexcept : container_(container), size_(size) {}

  bool is_object() const noexcept { return (header() & JB_FOBJECT) != 0; }
  bool is_array() const noexcept { return (header() & JB_FARRAY) != 0 && (header() & JB_FSCALAR) == 0; }
  /// Members of an object, elements of an array.
  std::uint32_t count() const noexcept { return header() & JB_CMASK; }
  /// The entry words, and what follows them: the children's bytes.
  const char* entries() const noexcept { return container_ + sizeof(std::uint32_t); }
  const char* data() const noexcept {
    return entries() + std::size_t{count()} * (is_object() ? 2 : 1) * sizeof(JEntry);
  }
  /// As the user would write it. For errors: takes its time. Throws.
  std::string shown() const;

 private:
  std::uint32_t header() const noexcept {
    std::uint32_t header;
    std::memcpy(&header, container_, sizeof header);
    return header;
  }

  const char* container_;
  std::size_t size_;
};

/// A walk over the children of a jsonb container, in their order.
class JsonbEntries {
 public:
  /// The elements of an array, or the keys of an object.
  explicit JsonbEntries(const JsonbView& container) noexcept : JsonbEntries(container, 0) {}
  /// The values of an object, in the order of their keys.
  static JsonbEntries values_of(const JsonbView& object) noexcept { return {object, object.count()}; }

  bool done() const noexcept { return index_ == end_; }
  void next() noexcept {
    offset_ = offset_after(entry());
    ++index_;
  }

  std::uint32_t index() const noexcept { return index_; }
  bool is_string() const noexcept { return JBE_ISSTRING(entry()); }
  bool is_numeric() const noexcept { return JBE_ISNUMERIC(entry()); }
  bool is_container() const noexcept { return JBE_ISCONTAINER(entry()); }

  std::string_view string() const noexcept { return {data_ + offset_, offset_after(entry()) - offset_}; }
  /// A varlena, at any address.
  const char* numeric() const noexcept { return data_ + INTALIGN(offset_); }
  JsonbView container() const noexcept {
    return {data_ + INTALIGN(offset_), offset_after(entry()) - INTALIGN(offset_)};
  }
  /// The child as the user would write it. For errors: takes its time. Throws.
  std::string shown() const;

 private:
  JsonbEntries(const JsonbView& container, std::uint32_t first) noexcept;

  /// Some entries say where their child ends, most how long it is.
  std::uint32_t offset_after(JEntry entry) const noexcept {
    return JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : offset_ + JBE_OFFLENFLD(entry);
  }
  JEntry entry_at(std::uint32_t index) const noexcept {
    JEntry entry;
    std::memcpy(&entry, entries_ + std::size_t{index} * sizeof entry, sizeof entry);
    return entry;
  }
  JEntry entry() const noexcept { return entry_at(index_); }

  const char* entries_;
  const char* data_;
  std::uint32_t index_;
  std::uint32_t end_;
  std::uint32_t offset_ = 0;  // of the current child in data_
};

/// The components of a clock in a jsonb object. A causality::ClockCursor.
class JsonbCursor {
 public:
  explicit JsonbCursor(const JsonbView& object) noexcept : names_(object), values_(JsonbEntries::values_of(object)) {}

  bool done() const noexcept { return names_.done(); }
  std::string_view name() const noexcept { return names_.string(); }
  /// Throws InvalidClock where the value is no counter.
  causality::Counter counter() const {
    const auto counter = checked_counter();
    if (!counter) reject();
    return *counter;
  }
  /// Nothing where the value is no counter.
  std::optional<causality::Counter> checked_counter() const noexcept {
    if (!values_.is_numeric()) return std::nullopt;
    return read_counter(values_.numeric());
  }
  void next() noexcept {
    names_.next();
    values_.next();
  }

 private:
  [[noreturn]] void reject() const;

  JsonbEntries names_;
  JsonbEntries values_;
};

/// A jsonb that is an object, and so may be a clock: whether its counters are some is seen when they are read.
class JsonbClock {
 public:
  /// Throws InvalidClock where the jsonb is not an object.
  explicit JsonbClock(const JsonbView& view);

  JsonbCursor cursor() const noexcept { return JsonbCursor(view_); }
  /// How many members there are, zeros included.
  std::size_t count() const noexcept { return view_.count(); }
  /// Throws InvalidClock at the first value that is no counter.
  void check() const;

 private:
  JsonbView view_;
};

/// Collects components and writes them as a jsonb object. A causality::ClockSink: the names must come in a clock's
/// order, each once, and live until finish(). Has no destructor: its memory is palloc'd.
class JsonbClockBuilder {
 public:
  /// Raises. At most `capacity` components can be added.
  explicit JsonbClockBuilder(std::size_t capacity);

  void add(std::string_view name, causality::Counter counter) noexcept { components_[size_++] = {name, counter}; }
  /// What was added so far, to be put in order by causality::normalize(), which answers the size to keep.
  std::span<causality::Component> components() noexcept { return {components_, size_}; }
  void keep(std::size_t size) noexcept { size_ = size; }

  /// The clock, in palloc'd memory. Raises. Throws SqlError where it is larger than a jsonb can be.
  Jsonb* finish() const;

 private:
  causality::Component* components_;
  std::size_t size_ = 0;
};

/// What a clock in order looks like as a jsonb. As JsonbClockBuilder::finish().
Jsonb* jsonb_of(std::span<const causality::Component> clock);

}  // namespace raceway::postgres
