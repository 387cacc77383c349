#include "memory/services.hpp"

#include <algorithm>
#include <mutex>
#include <new>

namespace raceway::server::memory {

PinnedService Services::get(std::string_view name) {
  if (auto known = find(name); known.get() != nullptr) return known;
  auto made = std::make_unique<Service>();
  made->name = name;
  const std::unique_lock lock(mutex_);
  const std::string_view key = made->name;
  const std::size_t bytes_before = bytes_taken_;
  const auto [entry, is_new] = by_name_.try_emplace(key, std::move(made));
  Service& service = *entry->second;
  if (is_new) {
    const bool on_heap = service.name.capacity() > std::string().capacity();
    service.bytes =
        bytes_taken_ - bytes_before + heap_bytes(&service) + (on_heap ? heap_bytes(service.name.data()) : 0);
    bytes_in_use_ += service.bytes;
  }
  ++service.pins;
  return {*this, service};
}

PinnedService Services::find(std::string_view name) {
  const std::shared_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return {};
  ++found->second->pins;
  return {*this, *found->second};
}

void Services::take_off(Service& service, std::uint64_t events) noexcept {
  let_go(service, [events](Service& counted) {
    --counted.traces;
    counted.events -= events;
  });
}

void Services::unpin(Service& service) noexcept {
  let_go(service, [](Service& pinned) { --pinned.pins; });
}

/// Who lets go last sees that nothing is left. From then on the service is known by its name only: another thread may
/// have dropped it, or taken it up again.
template <class Change>
void Services::let_go(Service& service, Change change) noexcept {
  std::string unused;
  {
    const std::shared_lock lock(mutex_);
    change(service);
    if (service.events != 0 || service.pins != 0) return;
    try {
      unused = service.name;
    } catch (const std::bad_alloc&) {
      return;  // it goes when it is let go of the next time
    }
  }
  drop_unused(unused);
}

void Services::drop_unused(std::string_view name) noexcept {
  const std::unique_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end() || found->second->events != 0 || found->second->pins != 0) return;
  bytes_in_use_ -= found->second->bytes;
  const auto service = std::move(found->second);  // whose name is the key
  by_name_.erase(found);
}

std::vector<storage::ServiceSummary> Services::summaries() const {
  std::vector<storage::ServiceSummary> summaries;
  const std::shared_lock lock(mutex_);
  for (const auto& [name, service] : by_name_) {
    const std::uint64_t events = service->events;
    if (events > 0) summaries.push_back({service->name, events, service->traces});
  }
  return summaries;
}

ServiceCounts::Counts::iterator ServiceCounts::place_in(Counts& counts, const Service& service) {
  return std::lower_bound(counts.begin(), counts.end(), &service, [](const Count& count, const Service* wanted) {
    return std::less<>()(static_cast<const Service*>(count.service), wanted);
  });
}

void ServiceCounts::prepare(Service& service) {
  if (first_.service == nullptr) first_.service = &service;
  if (first_.service == &service) return;
  if (!more_) {
    auto more = std::make_unique<Counts>();
    more->push_back({&service, 0});
    more_ = std::move(more);
    return;
  }
  const auto place = place_in(*more_, service);
  if (place == more_->end() || place->service != &service) more_->insert(place, {&service, 0});
}

void ServiceCounts::add(Service& service, std::uint64_t events) noexcept {
  Count& count = first_.service == &service ? first_ : *place_in(*more_, service);
  if (count.events == 0) ++service.traces;
  count.events += events;
  service.events += events;
}

bool ServiceCounts::has(const Service& service) const {
  if (first_.service == &service) return first_.events > 0;
  if (!more_) return false;
  const auto place = place_in(*more_, service);
  return place != more_->end() && place->service == &service && place->events > 0;
}

std::vector<std::string> ServiceCounts::names() const {
  std::vector<std::string> names;
  each([&](const Count& count) { names.push_back(count.service->name); });
  std::sort(names.begin(), names.end());
  return names;
}

std::size_t ServiceCounts::bytes() const {
  return more_ ? heap_bytes(more_.get()) + heap_bytes(more_->data()) : 0;
}

}  // namespace raceway::server::memory
