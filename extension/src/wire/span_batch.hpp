// Where the readers of formats of spans put what they read: into a batch, span by span.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "wire/arena.hpp"
#include "wire/batch.hpp"
#include "wire/errors.hpp"
#include "wire/span_events.hpp"

namespace raceway::wire {

/// What reading spans may take for each byte of their text: a span of few bytes is two events of many fields.
constexpr std::size_t memory_of_spans(std::size_t bytes) {
  return 16 * bytes;
}

/// In a batch of spans an event's index is its span's, and so is that of a rejection. Not thread-safe.
class SpanBatch {
 public:
  SpanBatch(Arena& arena, Batch& batch, std::size_t most_events)
      : arena_(arena), batch_(batch), most_events_(most_events), events_(arena) {}

  Arena& arena() const { return arena_; }

  /// What follows comes from there; the source outlives it. With a `problem`, none of it can be kept.
  void begin_source(const SpanSource& source, std::string problem = {}) {
    problem_ = std::move(problem);
    events_.begin_source(source);
  }

  /// Takes the next span, of so many bytes: `read(span)` reads it into the arena, and throws EventError or
  /// OverAllowance where it cannot be kept. Throws TooManyEvents, and what else `read` throws.
  template <class Read>
  void add(std::size_t bytes, Read read) {
    const auto index = static_cast<std::uint32_t>(batch_.count++);
    const Arena::Mark before = arena_.mark();
    const std::size_t limit = arena_.allowance().limit();
    pay_for(bytes);
    Span span;
    try {
      if (!problem_.empty()) throw EventError(problem_);
      read(span);
      keep(index, events_.of(span));
      return;
    } catch (const EventError& error) {
      reject(index, span, error.what());
    } catch (const OverAllowance&) {
      reject(index, span, "it holds too many small values: they would take many times the memory of their text");
    }
    // Whether another span is taken does not depend on what is not.
    events_.forget_texts();
    arena_.release(before);
    arena_.allowance().set_limit(limit);
  }

  /// For text that belongs to many spans.
  void pay_for(std::size_t bytes) { arena_.allowance().raise_limit(memory_of_spans(bytes)); }

 private:
  void keep(std::uint32_t index, std::span<const Event> events);
  void reject(std::uint32_t index, const Span& span, std::string_view reason);

  Arena& arena_;
  Batch& batch_;
  const std::size_t most_events_;
  SpanEvents events_;
  std::string problem_;
};

}  // namespace raceway::wire
