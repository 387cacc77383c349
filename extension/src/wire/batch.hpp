// Reading a body of `POST /events`: `{"events":[...]}`, a bare event or an array of events, each in either format.
// The formats are told apart by their fields: `event_id` (documented) or `id` (SDK).
// Or a body of spans, which become events (span_events.hpp): OTLP in protobuf or JSON, Jaeger's or Zipkin's JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

#include "wire/allowance.hpp"
#include "wire/block_list.hpp"
#include "wire/errors.hpp"
#include "wire/event.hpp"
#include "wire/rejections.hpp"

namespace raceway::wire {

using EventList = BlockList<Event>;

/// The events of one body. `events` and `rejected` together name every index below `count` once, as far as rejections
/// are told; `events` in the body's order. Of a body of spans the indexes are those of its spans, and the events of a
/// span have the same. Owns what the events' views refer to, except the body's own text, which must
/// outlive it.
struct Batch {
  class Memory;  // arena

  Batch();
  explicit Batch(Allowance& allowance);
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;
  ~Batch();

  std::unique_ptr<Memory> memory;
  std::size_t count = 0;
  bool of_spans = false;
  EventList events;
  Rejections rejected;
};

enum class MetadataForm {
  whole,
  apart,  ///< the context (fields::context) apart from the rest, in events that are read by a learned layout
};

/// How a body is read.
struct Reading {
  MetadataForm form = MetadataForm::whole;
  /// What reading may take of memory and time, in sum for all bodies that are read with it. It outlives the batch.
  /// Without one, memory of the heap; its limit then is the body's own.
  Allowance* allowance = nullptr;
  /// An event that is longer is stepped over first, to know what it takes; a shorter one is read in one go. The outcome
  /// is the same.
  std::size_t window = std::size_t{1} << 20U;
  /// A body with more throws TooManyEvents.
  std::size_t most_events = std::numeric_limits<std::uint32_t>::max();
};

/// The memory that reading takes is at most this, and so much for each byte of the body: less than what a tree takes of
/// which each value is a character.
inline constexpr std::size_t memory_of_any_body = std::size_t{1} << 20U;
constexpr std::size_t memory_of_text(std::size_t bytes) {
  return bytes / 2 * 11;
}

/// Reads `body`, which needs no padding. An event that cannot be kept is rejected by name; its neighbours are not.
/// An event that would take too much memory is rejected, too: it holds many values of a character or two.
/// Throws BodyError. Thread-safe.
Batch read_batch(std::string_view body, const Reading& reading = {});

}  // namespace raceway::wire
