// Clocks in PostgreSQL's jsonb, read where they lie and written directly.
//
// The form is described in utils/jsonb.h: a header with the count, one entry word for each child (an object's keys
// first, then its values), then the children's bytes. A jsonb below 127 bytes is stored with a one-byte header, which
// leaves the rest at any address: what is read here is therefore read byte-wise, and never copied to align it.
#pragma once

#include <algorithm>
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
  /// Where in data() the names of an object end, and its values begin.
  std::uint32_t end_of_names() const noexcept;
  /// Whether another object has the same names as this one, whose names end there.
  bool shares_names_with(const JsonbView& other, std::uint32_t names_end) const noexcept {
    return count() == other.count() && std::memcmp(entries(), other.entries(), count() * sizeof(JEntry)) == 0 &&
           std::memcmp(data(), other.data(), names_end) == 0;
  }
  /// Asks the memory for two clocks that are going to be read side by side, up to some KB. Going back and forth between
  /// them, their entries and their data is nothing that the processor foresees: without this, a quarter of the time
  /// that comparing takes in a large table is spent waiting.
  static void prefetch(const JsonbView& a, const JsonbView& b) noexcept {
    constexpr std::size_t line = 64;
    const std::size_t end = std::min({a.size_, b.size_, std::size_t{4096}});
    for (std::size_t at = line; at < end; at += line) {
      __builtin_prefetch(a.container_ + at);
      __builtin_prefetch(b.container_ + at);
    }
    asm volatile("");  // a function that does nothing else is taken for one that does nothing, and left out
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

/// A child of a jsonb container, where it lies.
class JsonbChild {
 public:
  JsonbChild() noexcept = default;
  /// From `begin` to `end` in the container's data.
  JsonbChild(JEntry entry, const char* data, std::uint32_t begin, std::uint32_t end) noexcept
      : data_(data), entry_(entry), begin_(begin), end_(end) {}

  bool is_string() const noexcept { return JBE_ISSTRING(entry_); }
  bool is_numeric() const noexcept { return JBE_ISNUMERIC(entry_); }
  bool is_container() const noexcept { return JBE_ISCONTAINER(entry_); }

  std::string_view string() const noexcept { return {data_ + begin_, end_ - begin_}; }
  JsonbView container() const noexcept { return {data_ + aligned_begin(), end_ - aligned_begin()}; }
  /// A varlena, at any address, and its size.
  const char* numeric() const noexcept { return data_ + aligned_begin(); }
  std::uint32_t numeric_size() const noexcept { return end_ - aligned_begin(); }
  /// False where it is no counter.
  bool read(causality::Counter& counter) const noexcept {
    return is_numeric() && read_counter(numeric(), numeric_size(), counter);
  }
  /// As the user would write it. For errors: takes its time. Throws.
  std::string shown() const;

 private:
  std::uint32_t aligned_begin() const noexcept { return static_cast<std::uint32_t>(INTALIGN(begin_)); }

  const char* data_ = nullptr;
  JEntry entry_ = JENTRY_ISNULL;
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
};

/// A walk over the children of a jsonb container, in their order. Whoever walks counts them.
class JsonbChildren {
 public:
  /// The elements of an array, or the names of an object.
  explicit JsonbChildren(const JsonbView& container) noexcept : entry_(container.entries()), data_(container.data()) {}
  /// The values of an object, in the order of their names, which end there.
  static JsonbChildren values_of(const JsonbView& object, std::uint32_t names_end) noexcept {
    JsonbChildren values(object);
    values.entry_ += std::size_t{object.count()} * sizeof(JEntry);
    values.end_ = names_end;
    return values;
  }

  JEntry entry() const noexcept {
    JEntry entry;
    std::memcpy(&entry, entry_, sizeof entry);
    return entry;
  }
  JsonbChild next() noexcept {
    const JEntry child = entry();
    const std::uint32_t begin = end_;
    entry_ += sizeof child;
    // Some entries say where their child ends, most how long it is.
    end_ = unlikely(JBE_HAS_OFF(child)) ? JBE_OFFLENFLD(child) : begin + JBE_OFFLENFLD(child);
    return {child, data_, begin, end_};
  }
  /// The next one, too, where the last one of `ahead` had the same entry and began at the same place.
  JsonbChild follow(const JsonbChildren& ahead) noexcept {
    const JEntry child = entry();
    const std::uint32_t begin = end_;
    entry_ += sizeof child;
    end_ = ahead.end_;
    return {child, data_, begin, end_};
  }

 private:
  const char* entry_;  // of the next child
  const char* data_;
  std::uint32_t end_ = 0;  // of the child before it
};

/// The components of a clock in a jsonb object. A causality::ClockCursor.
class JsonbCursor {
 public:
  explicit JsonbCursor(const JsonbView& object) noexcept
      : object_(object),
        left_(object.count()),
        names_(object),
        values_(JsonbChildren::values_of(object, object.end_of_names())) {
    if (left_ > 0) step();
  }

  bool done() const noexcept { return left_ == 0; }
  std::string_view name() const noexcept { return name_.string(); }
  /// Throws InvalidClock where the value is no counter.
  causality::Counter counter() const {
    causality::Counter counter = 0;
    if (!read(counter)) reject();
    return counter;
  }
  /// False where the value is no counter.
  bool read(causality::Counter& counter) const noexcept { return value_.read(counter); }
  void next() noexcept {
    if (--left_ > 0) step();
  }
  /// Where it walks.
  const JsonbView& object() const noexcept { return object_; }

 private:
  [[noreturn]] void reject() const;
  void step() noexcept {
    name_ = names_.next();
    value_ = values_.next();
  }

  JsonbView object_;
  std::uint32_t left_;
  JsonbChildren names_;
  JsonbChildren values_;
  JsonbChild name_;
  JsonbChild value_;
};

/// causality::walk_together() from the beginning of two clocks in jsonb. The algebra finds it in place of its own:
/// names that are the same in both are not compared one by one.
template <class Visit>
bool walk_together(JsonbCursor a, JsonbCursor b, Visit visit) {
  if (!a.object().shares_names_with(b.object(), a.object().end_of_names())) {
    return causality::walk_together<JsonbCursor, JsonbCursor>(a, b, visit);
  }
  for (; !a.done(); a.next(), b.next()) {
    const causality::Counter in_a = a.counter();
    if (!visit(a.name(), in_a, b.counter())) return false;
  }
  return true;
}

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
