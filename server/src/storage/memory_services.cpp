#include "storage/memory_services.hpp"

#include <algorithm>
#include <mutex>

namespace raceway::server::storage::memory {

Service& Services::get(std::string_view name) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = by_name_.find(name);
    if (found != by_name_.end()) return *found->second;
  }
  auto made = std::make_unique<Service>();
  made->name = name;
  const std::unique_lock lock(mutex_);
  const std::string_view key = made->name;
  const auto [entry, is_new] = by_name_.try_emplace(key, std::move(made));
  Service& service = *entry->second;
  if (is_new) {
    const bool on_heap = service.name.capacity() > std::string().capacity();
    bytes_ += heap_bytes(&service) + (on_heap ? heap_bytes(service.name.data()) : 0);
  }
  return service;
}

const Service* Services::find(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

std::vector<ServiceSummary> Services::summaries() const {
  std::vector<ServiceSummary> summaries;
  const std::shared_lock lock(mutex_);
  for (const auto& [name, service] : by_name_) {
    const std::uint64_t events = service->events;
    if (events > 0) summaries.push_back({service->name, events, service->traces});
  }
  return summaries;
}

std::size_t Services::bytes() const {
  const std::shared_lock lock(mutex_);
  return bytes_;
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
  if (first_.events > 0) names.push_back(first_.service->name);
  if (more_) {
    for (const auto& count : *more_) {
      if (count.events > 0) names.push_back(count.service->name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::size_t ServiceCounts::bytes() const {
  return more_ ? heap_bytes(more_.get()) + heap_bytes(more_->data()) : 0;
}

}  // namespace raceway::server::storage::memory
