#include "postgres/row_buffer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace raceway::server::postgres {
namespace {

constexpr std::size_t texts_of_a_row = 6;
constexpr std::uint32_t is_null = std::numeric_limits<std::uint32_t>::max();

/// What stands before the texts of a row.
struct Head {
  wire::Micros timestamp;
  float duration_ms;
  bool has_duration;
  std::array<std::uint32_t, texts_of_a_row> sizes;
};

}  // namespace

void RowBuffer::append(const wire::Row& row) {
  const std::array<std::string_view, texts_of_a_row> texts{
      row.event_id, row.trace_id, row.kind, row.location.value_or(std::string_view()), row.vector_clock, row.metadata};
  Head head{row.timestamp, row.duration_ms.value_or(0), row.duration_ms.has_value(), {}};
  std::size_t bytes = sizeof head;
  for (std::size_t at = 0; at < texts.size(); ++at) {
    head.sizes[at] = static_cast<std::uint32_t>(texts[at].size());
    bytes += texts[at].size();
  }
  if (!row.location) head.sizes[3] = is_null;
  if (places_.size() == places_.capacity()) {
    const std::size_t more = std::max<std::size_t>(16, places_.capacity() / 2);
    hold_.grow(more * sizeof(places_[0]));
    places_.reserve(places_.capacity() + more);
  }
  char* to = room_for(bytes);
  places_.push_back(to);
  std::memcpy(to, &head, sizeof head);
  to += sizeof head;
  for (const auto text : texts) to += text.copy(to, text.size());
}

char* RowBuffer::room_for(std::size_t bytes) {
  if (bytes > left_) {
    // The first ones are small: most traces are.
    const std::size_t wanted = blocks_.empty() ? 4096 : std::min(block_size, std::size_t{4096} << blocks_.size());
    const std::size_t size = std::max(bytes, wanted);
    hold_.grow(size);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    free_ = blocks_.back().get();
    left_ = size;
  }
  left_ -= bytes;
  return std::exchange(free_, free_ + bytes);
}

wire::Row RowBuffer::row(std::uint32_t place) const {
  const char* from = places_[place];
  Head head;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled at once
  std::memcpy(&head, from, sizeof head);
  from += sizeof head;
  std::array<std::string_view, texts_of_a_row> texts;
  for (std::size_t at = 0; at < texts.size(); ++at) {
    if (head.sizes[at] == is_null) continue;
    texts[at] = {from, head.sizes[at]};
    from += head.sizes[at];
  }
  wire::Row row;
  row.event_id = texts[0];
  row.trace_id = texts[1];
  row.kind = texts[2];
  row.timestamp = head.timestamp;
  if (head.has_duration) row.duration_ms = head.duration_ms;
  if (head.sizes[3] != is_null) row.location = texts[3];
  row.vector_clock = texts[4];
  row.metadata = texts[5];
  return row;
}

bool RowBuffer::each(const Visit& visit) {
  for (std::uint32_t place = 0; place < count(); ++place) {
    if (!visit(row(place))) return false;
  }
  return true;
}

bool RowBuffer::each_of(std::span<const std::uint32_t> places, const Visit& visit) {
  return std::ranges::all_of(places, [&](std::uint32_t place) { return visit(row(place)); });
}

}  // namespace raceway::server::postgres
