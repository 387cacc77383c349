#include "wire/span_batch.hpp"

namespace raceway::wire {

void SpanBatch::keep(std::uint32_t index, std::span<const Event> events) {
  if (batch_.events.size() + events.size() > most_events_) {
    throw TooManyEvents("the body's spans are more than " + std::to_string(most_events_) + " events");
  }
  for (const Event& event : events) {
    batch_.events.emplace_back() = event;
    batch_.events.back().index = index;
  }
  arena_.allowance().lower_limit(events.size() * sizeof(Event));
}

void SpanBatch::reject(std::uint32_t index, const Span& span, std::string_view reason) {
  if (!batch_.rejected.would_tell(index)) return batch_.rejected.add_untold();
  batch_.rejected.add({index, is_zero(span.span_id) ? std::string() : hex_text(span.span_id), std::string(reason)});
}

}  // namespace raceway::wire
