#include "memory/traces.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <utility>

namespace raceway::server::memory {
namespace {

constexpr std::uint32_t all_used = std::numeric_limits<std::uint32_t>::max();

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

storage::TraceSummary Trace::summary() const {
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

const Trace* Traces::still(std::uint32_t number, std::uint32_t generation) const {
  const Page& page = pages_[number / page_size];
  if ((page.used >> number % page_size & 1U) == 0) return nullptr;
  const Trace& trace = (*this)[number];
  return trace.generation == generation && !trace.evicted ? &trace : nullptr;
}

std::uint32_t Traces::add(const Id& id, std::shared_ptr<Dictionary> dictionary) {
  Trace trace;
  trace.id = OwnedId(id);
  trace.dictionary = std::move(dictionary);
  trace.generation = next_generation_++;
  if (open_page_ == none) open_page();
  const std::uint32_t at = open_page_;
  Page& page = pages_[at];
  if (!page.traces) {
    page.traces = std::make_unique<std::array<Trace, page_size>>();
    page_bytes_ += heap_bytes(page.traces.get());
  }
  const auto place = static_cast<std::uint32_t>(std::countr_one(page.used));
  text_bytes_ += trace.id.bytes_of_text();
  (*page.traces)[place] = std::move(trace);
  page.used |= 1U << place;
  if (page.used == all_used) open_page_ = page.next_open;
  return at * page_size + place;
}

void Traces::open_page() {
  if (pages_.size() == none / page_size) {
    throw std::length_error("the memory store has no number left for another trace");
  }
  page_bytes_ -= heap_bytes(pages_.data());
  const auto count_again = [this] { page_bytes_ += heap_bytes(pages_.data()); };
  try {
    make_room(pages_, 1);
  } catch (...) {
    count_again();
    throw;
  }
  count_again();
  open_page_ = static_cast<std::uint32_t>(pages_.size());
  pages_.emplace_back();
}

void Traces::publish(std::uint32_t number, const Id& id) {
  by_id_.insert(static_cast<std::uint32_t>(id.hash), number);
}

void Traces::hide(std::uint32_t number, std::uint64_t id_hash) noexcept {
  by_id_.erase(static_cast<std::uint32_t>(id_hash), number);
}

void Traces::drop(std::uint32_t number) noexcept {
  Page& page = pages_[number / page_size];
  text_bytes_ -= (*page.traces)[number % page_size].id.bytes_of_text();
  (*page.traces)[number % page_size] = Trace();
  if (page.used == all_used) {
    page.next_open = open_page_;
    open_page_ = number / page_size;
  }
  page.used &= ~(1U << number % page_size);
  if (page.used != 0) return;
  page_bytes_ -= heap_bytes(page.traces.get());
  page.traces.reset();
}

void GrowthOrder::grew(Traces& traces, std::uint32_t number, GrowthTime now) noexcept {
  Trace& trace = traces[number];
  const bool is_in = trace.grew != 0;
  trace.grew = now;
  if (newest_ == number) return;
  if (is_in) remove(traces, number);
  trace.older = newest_;
  trace.newer = none;
  (newest_ == none ? oldest_ : traces[newest_].newer) = number;
  newest_ = number;
}

void GrowthOrder::remove(Traces& traces, std::uint32_t number) noexcept {
  const Trace& trace = traces[number];
  (trace.older == none ? oldest_ : traces[trace.older].newer) = trace.newer;
  (trace.newer == none ? newest_ : traces[trace.newer].older) = trace.older;
}

void Recency::prepare() {
  if (moved_.size() < moved_.capacity()) return;
  make_room(moved_, 1);
  moved_bytes_ = heap_bytes(moved_.data());
}

void Recency::note(Trace& trace, std::uint32_t number) noexcept {
  if (trace.note != none) return;
  trace.note = static_cast<std::uint32_t>(moved_.size());
  moved_.push_back({trace.last, number});
}

void Recency::forget(Traces& traces, std::uint32_t number) noexcept {
  Trace& trace = traces[number];
  if (trace.note != none) {
    moved_[trace.note] = moved_.back();
    traces[moved_[trace.note].trace].note = trace.note;
    moved_.pop_back();
    trace.note = none;
  }
  if (!trace.in_order) return;
  // Taken out of the order by and by: each time it costs a look at all of it.
  constexpr std::size_t few = 32;
  if (++forgotten_ > few && forgotten_ * 8 > order_.size()) sweep(traces);
}

void Recency::sweep(Traces& traces) noexcept {
  const auto leaves = [&](const Place& place) {
    Trace& trace = traces[place.trace];
    if (!trace.evicted) return false;
    trace.in_order = false;
    if (trace.newest_chunk == none) traces.drop(place.trace);
    return true;
  };
  order_.erase(std::remove_if(order_.begin(), order_.end(), leaves), order_.end());
  forgotten_ = 0;
  if (order_.capacity() > order_.size() * 2) order_.shrink_to_fit();
  order_bytes_ = heap_bytes(order_.data());
}

std::span<const Recency::Place> Recency::oldest_first(Traces& traces) {
  if (forgotten_ > 0) sweep(traces);
  if (moved_.empty()) return order_;
  const auto older = [&](const Place& a, const Place& b) {
    if (a.last != b.last) return a.last < b.last;
    return a.trace != b.trace && before(traces[b.trace].id, traces[a.trace].id);
  };
  make_room(order_, moved_.size());
  order_bytes_ = heap_bytes(order_.data());
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
                              [&](const Place& place) { return traces[place.trace].note != none; }),
               order_.end());
  const auto middle = static_cast<std::ptrdiff_t>(order_.size());
  order_.insert(order_.end(), now.begin(), now.end());
  std::inplace_merge(order_.begin() + from, order_.begin() + middle, order_.end(), older);
  for (const Place& place : moved_) {
    traces[place.trace].note = none;
    traces[place.trace].in_order = true;
  }
  moved_ = std::vector<Place>();
  moved_bytes_ = 0;
  return order_;
}

}  // namespace raceway::server::memory
