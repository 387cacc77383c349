#include "storage/memory_traces.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace raceway::server::storage::memory {
namespace {

/// By a quarter: doubling leaves half of a large one empty.
template <class T>
void make_room(std::vector<T>& items, std::size_t more) {
  const std::size_t needed = items.size() + more;
  if (needed > items.capacity()) items.reserve(std::max(needed, items.capacity() + items.capacity() / 4));
}

}  // namespace

OwnedId OwnedId::copy() const {
  OwnedId copied;
  copied.bytes = bytes;
  if (text_of_other) copied.text_of_other = std::make_unique<std::string>(*text_of_other);
  return copied;
}

bool OwnedId::is(const Id& id) const {
  return bytes == id.bytes && (text_of_other ? !id.is_uuid && *text_of_other == id.text : id.is_uuid);
}

std::string OwnedId::text() const {
  if (text_of_other) return *text_of_other;
  std::string text;
  append_uuid(text, bytes.data());
  return text;
}

std::size_t OwnedId::bytes_of_text() const {
  if (!text_of_other) return 0;
  const bool on_heap = text_of_other->capacity() > std::string().capacity();
  return heap_bytes(text_of_other.get()) + (on_heap ? heap_bytes(text_of_other->data()) : 0);
}

bool before(const OwnedId& a, const OwnedId& b) {
  // The digits of UUIDs sort as their bytes do.
  if (!a.text_of_other && !b.text_of_other) return view(a.bytes) < view(b.bytes);
  return a.text() < b.text();
}

TraceSummary Trace::summary() const {
  return {id.text(), events, first, last, services.names()};
}

std::uint32_t Traces::find(const Id& id) const {
  std::uint32_t found = none;
  by_id_.any_of(static_cast<std::uint32_t>(id.hash), [&](std::uint32_t number) {
    if ((*this)[number].id.is(id)) found = number;
    return found != none;
  });
  return found;
}

std::uint32_t Traces::add(const Id& id, std::shared_ptr<Dictionary> dictionary) {
  if (size_ == none) throw std::length_error("the memory store has no number left for another trace");
  Trace trace;
  trace.id = OwnedId(id);
  trace.dictionary = std::move(dictionary);
  if (size_ / page_size == pages_.size()) {
    make_room(pages_, 1);
    std::vector<Trace> page;
    page.reserve(page_size);
    page_bytes_ += heap_bytes(page.data());
    pages_.push_back(std::move(page));
  }
  pages_[size_ / page_size].push_back(std::move(trace));
  return size_++;
}

void Traces::publish(std::uint32_t number, const Id& id) {
  by_id_.insert(static_cast<std::uint32_t>(id.hash), number);
}

void Traces::drop_last(const Id& id) {
  by_id_.erase(static_cast<std::uint32_t>(id.hash), --size_);
  pages_[size_ / page_size].pop_back();
}

void Recency::prepare() {
  make_room(moved_, 1);
}

void Recency::note(Trace& trace, std::uint32_t number) noexcept {
  if (trace.moved) return;
  trace.moved = true;
  moved_.push_back({trace.last, number});
}

std::span<const Recency::Place> Recency::oldest_first(Traces& traces) {
  if (moved_.empty()) return order_;
  const auto older = [&](const Place& a, const Place& b) {
    if (a.last != b.last) return a.last < b.last;
    return a.trace != b.trace && before(traces[b.trace].id, traces[a.trace].id);
  };
  make_room(order_, moved_.size());
  std::vector<Place> now;
  now.reserve(moved_.size());
  for (const Place& place : moved_) now.push_back({traces[place.trace].last, place.trace});
  std::sort(now.begin(), now.end(), older);
  Place first_change = now.front();
  for (const Place& place : moved_) {
    if (traces[place.trace].in_order && older(place, first_change)) first_change = place;
  }
  const auto from = std::lower_bound(order_.begin(), order_.end(), first_change, older) - order_.begin();
  order_.erase(std::remove_if(order_.begin() + from, order_.end(),
                              [&](const Place& place) { return traces[place.trace].moved; }),
               order_.end());
  const auto middle = static_cast<std::ptrdiff_t>(order_.size());
  order_.insert(order_.end(), now.begin(), now.end());
  std::inplace_merge(order_.begin() + from, order_.begin() + middle, order_.end(), older);
  for (const Place& place : moved_) {
    traces[place.trace].moved = false;
    traces[place.trace].in_order = true;
  }
  moved_ = {};
  return order_;
}

}  // namespace raceway::server::storage::memory
