#include "memory/packed_events.hpp"

#include <algorithm>
#include <utility>

#include "memory/record_reader.hpp"

namespace raceway::server::memory {

PackedEvents::PackedEvents(PackedTrace trace, Moment as_of, storage::ByteBudget::Hold hold)
    : TraceEvents(as_of), trace_(std::move(trace)), hold_(std::move(hold)) {
  hold_.grow((trace_.ends.size() + 1) * sizeof(std::uint32_t));
  begins_.reserve(trace_.ends.size() + 1);
  begins_.push_back(0);
  for (std::uint32_t number = 0; number < trace_.ends.size(); ++number) {
    begins_.push_back(begins_.back() + count_records(chunk(number)));
  }
}

std::string_view PackedEvents::chunk(std::uint32_t number) const {
  const std::size_t begin = number == 0 ? 0 : trace_.ends[number - 1];
  return std::string_view(trace_.bytes).substr(begin, trace_.ends[number] - begin);
}

bool PackedEvents::each(const Visit& visit) {
  for (std::uint32_t number = 0; number < trace_.ends.size(); ++number) {
    for (RecordReader reader(chunk(number), *trace_.dictionary); !reader.done();) {
      if (!visit(reader.next(trace_.summary.trace_id).row())) return false;
    }
  }
  return true;
}

bool PackedEvents::each_of(std::span<const std::uint32_t> places, const Visit& visit) {
  std::uint32_t number = 0;
  for (const std::uint32_t place : places) {
    if (place < begins_[number] || place >= begins_[number + 1]) {
      number = static_cast<std::uint32_t>(std::ranges::upper_bound(begins_, place) - begins_.begin() - 1);
    }
    if (!visit(unpack(number)[place - begins_[number]].row())) return false;
  }
  return true;
}

const std::vector<storage::StoredEvent>& PackedEvents::unpack(std::uint32_t number) {
  auto& [chunk_number, events] = unpacked_[number % kept];
  if (chunk_number != number) {
    chunk_number = number;
    events.clear();
    for (RecordReader reader(chunk(number), *trace_.dictionary); !reader.done();) {
      events.push_back(reader.next(trace_.summary.trace_id));
    }
  }
  return events;
}

}  // namespace raceway::server::memory
