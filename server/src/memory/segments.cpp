#include "memory/segments.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "memory/bytes.hpp"

namespace raceway::server::memory {
namespace {

constexpr std::size_t pooled_size = SegmentPool::segment_size;

// A larger block has a segment of its own.
constexpr std::size_t largest_shared = pooled_size / 4;

// So much of all may be lost: the less it is, the more often blocks are moved.
constexpr std::size_t part_lost = 8;

// The pool keeps so much of what is in use.
constexpr std::size_t part_kept = 64;

}  // namespace

SegmentPool::Bytes SegmentPool::take() {
  const std::scoped_lock lock(mutex_);
  if (kept_.empty()) {
    auto made = std::make_unique_for_overwrite<char[]>(segment_size);
    ++in_use_;
    return made;
  }
  auto taken = std::move(kept_.back());
  kept_.pop_back();
  bytes_ -= heap_bytes(taken.get());
  ++in_use_;
  return taken;
}

void SegmentPool::give(Bytes segment) noexcept {
  const std::scoped_lock lock(mutex_);
  --in_use_;
  if (kept_.size() > in_use_ / part_kept) return;
  try {
    const std::size_t table_before = heap_bytes(kept_.data());
    const std::size_t bytes = heap_bytes(segment.get());
    kept_.push_back(std::move(segment));
    bytes_ += bytes + heap_bytes(kept_.data()) - table_before;
  } catch (const std::bad_alloc&) {
    return;  // it goes
  }
}

Segments::~Segments() {
  for (auto& segment : segments_) {
    if (segment.bytes && segment.size == pooled_size) pool_->give(std::move(segment.bytes));
  }
}

Segments::Head Segments::head_of(Place place) const {
  Head head;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled at once
  std::memcpy(&head, segments_[place.segment].bytes.get() + place.offset, sizeof head);
  return head;
}

void Segments::set_head(Place place, const Head& head) {
  std::memcpy(segments_[place.segment].bytes.get() + place.offset, &head, sizeof head);
}

std::uint32_t Segments::behind(Place place) const {
  return place.offset + static_cast<std::uint32_t>(sizeof(Head)) + head_of(place).room;
}

std::string_view Segments::bytes(Place place) const {
  if (place.segment == Place::none) return {};
  return {segments_[place.segment].bytes.get() + place.offset + sizeof(Head), head_of(place).size};
}

void Segments::append(Place& place, std::uint32_t owner, std::string_view bytes, std::size_t room) {
  if (place.segment == Place::none) {
    place = put(owner, bytes, bytes.size());
    return;
  }
  Head head = head_of(place);
  const std::size_t after = head.size + bytes.size();
  if (after > head.room) {
    const Place moved = put(owner, this->bytes(place), std::max(room, after));
    drop(place);
    place = moved;
    head = head_of(place);
  }
  Segment& segment = segments_[place.segment];
  std::memcpy(segment.bytes.get() + place.offset + sizeof head + head.size, bytes.data(), bytes.size());
  head.size = static_cast<std::uint32_t>(after);
  set_head(place, head);
  segment.live += static_cast<std::uint32_t>(bytes.size());
  live_ += bytes.size();
}

/// Makes a block. `bytes` may be in a segment.
Segments::Place Segments::put(std::uint32_t owner, std::string_view bytes, std::size_t room) {
  if (room > std::numeric_limits<std::uint32_t>::max() - sizeof(Head)) {
    throw std::length_error("a chunk of the memory store is full");
  }
  const std::uint32_t number = segment_for(sizeof(Head) + room);
  Segment& segment = segments_[number];
  const Place place{number, segment.used};
  set_head(place, {owner, static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(room)});
  std::memcpy(segment.bytes.get() + place.offset + sizeof(Head), bytes.data(), bytes.size());
  segment.used += static_cast<std::uint32_t>(sizeof(Head) + room);
  segment.live += static_cast<std::uint32_t>(sizeof(Head) + bytes.size());
  live_ += sizeof(Head) + bytes.size();
  return place;
}

/// One with so much room at its end.
std::uint32_t Segments::segment_for(std::size_t bytes) {
  if (bytes > largest_shared) return add_segment(std::make_unique_for_overwrite<char[]>(bytes), bytes);
  if (open_ == Place::none || segments_[open_].size - segments_[open_].used < bytes) {
    auto taken = pool_->take();
    const std::uint32_t before = std::exchange(open_, add_segment(std::move(taken), pooled_size));
    if (before != Place::none && segments_[before].live == 0) close_empty(before);
  }
  return open_;
}

std::uint32_t Segments::add_segment(SegmentPool::Bytes bytes, std::size_t size) {
  std::uint32_t number = free_;
  if (number == Place::none) {
    const std::size_t table_before = memory::heap_bytes(segments_.data());
    if (segments_.size() == segments_.capacity()) {
      segments_.reserve(std::max<std::size_t>(4, segments_.size() + segments_.size() / 4));
    }
    heap_bytes_ += memory::heap_bytes(segments_.data()) - table_before;
    number = static_cast<std::uint32_t>(segments_.size());
    segments_.emplace_back();
  } else {
    free_ = segments_[number].used;
  }
  heap_bytes_ += memory::heap_bytes(bytes.get());
  size_ += size;
  segments_[number] = {std::move(bytes), static_cast<std::uint32_t>(size), 0, 0};
  return number;
}

void Segments::kill(Place place) noexcept {
  Head head = head_of(place);
  segments_[place.segment].live -= static_cast<std::uint32_t>(sizeof head) + head.size;
  live_ -= sizeof head + head.size;
  head.owner = dead;
  set_head(place, head);
}

void Segments::drop(Place place) noexcept {
  if (place.segment == Place::none) return;
  kill(place);
  Segment& segment = segments_[place.segment];
  if (segment.live > 0) return;
  if (place.segment == open_) {
    segment.used = 0;
  } else {
    close_empty(place.segment);
  }
}

void Segments::close_empty(std::uint32_t number) noexcept {
  Segment& segment = segments_[number];
  heap_bytes_ -= memory::heap_bytes(segment.bytes.get());
  size_ -= segment.size;
  const bool pooled = segment.size == pooled_size;
  auto bytes = std::move(segment.bytes);
  segment = {nullptr, 0, free_, 0};
  free_ = number;
  if (pooled) pool_->give(std::move(bytes));
}

/// The segment that most is lost in, where too much is lost in all; else none.
std::uint32_t Segments::worth_tidying() const {
  const std::size_t open_rest = open_ == Place::none ? 0 : segments_[open_].size - segments_[open_].live;
  if (size_ - live_ - open_rest <= size_ / part_lost) return Place::none;
  std::uint32_t worst = Place::none;
  std::uint32_t most = pooled_size / part_lost;
  for (std::uint32_t number = 0; number < segments_.size(); ++number) {
    const Segment& segment = segments_[number];
    const std::uint32_t lost = segment.size - segment.live;
    if (!segment.bytes || number == open_ || lost <= most) continue;
    worst = number;
    most = lost;
  }
  return worst;
}

}  // namespace raceway::server::memory
