// Reading a body of `POST /events`: `{"events":[...]}`, a bare event or an array of events, each in either format.
// The formats are told apart by their fields: `event_id` (documented) or `id` (SDK).
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "wire/errors.hpp"
#include "wire/event.hpp"

namespace raceway::wire {

/// The events of one body. `events` and `rejected` together name every index below `count` once; `events` in the
/// body's order. Owns what the events' views refer to, except the body's own text, which must outlive it.
struct Batch {
  class Memory;  // arena

  Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;
  ~Batch();

  std::size_t count = 0;
  std::vector<Event> events;
  std::vector<Rejection> rejected;
  std::unique_ptr<Memory> memory;
};

enum class MetadataForm {
  whole,
  apart,  ///< the context (fields::context) apart from the rest, in events that are read by a learned layout
};

/// Reads `body`, which needs no padding. An event that cannot be kept is rejected by name; its neighbours are not.
/// Throws BodyError. Thread-safe; keeps a parser for each thread.
Batch read_batch(std::string_view body, MetadataForm form = MetadataForm::whole);

}  // namespace raceway::wire
