#include "storage/memory_services.hpp"

#include <algorithm>
#include <mutex>

#include "storage/memory_bytes.hpp"

namespace raceway::server::storage::memory {

namespace {

/// A node of a map on the heap: four words of links and color, the entry, malloc's own word.
template <class Map>
constexpr std::size_t tree_node_bytes = 4 * sizeof(void*) + sizeof(typename Map::value_type) + sizeof(std::size_t);

}  // namespace

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
  return *by_name_.try_emplace(key, std::move(made)).first->second;
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
  std::size_t total = 0;
  for (const auto& entry : by_name_) {
    const std::string& name = entry.second->name;
    const bool on_heap = name.capacity() > std::string().capacity();
    total += tree_node_bytes<decltype(by_name_)> + heap_bytes(entry.second.get());
    total += on_heap ? heap_bytes(name.data()) : 0;
  }
  return total;
}

void ServiceCounts::prepare(Service& service) {
  if (first_ == nullptr) first_ = &service;
  if (first_ == &service) return;
  if (!more_) more_ = std::make_unique<std::map<Service*, std::uint64_t>>();
  more_->try_emplace(&service, 0);
}

void ServiceCounts::add(Service& service, std::uint64_t events) noexcept {
  std::uint64_t& count = first_ == &service ? first_events_ : more_->find(&service)->second;
  if (count == 0) ++service.traces;
  count += events;
  service.events += events;
}

bool ServiceCounts::has(const Service& service) const {
  if (first_ == &service) return first_events_ > 0;
  if (!more_) return false;
  const auto found = more_->find(const_cast<Service*>(&service));
  return found != more_->end() && found->second > 0;
}

std::vector<std::string> ServiceCounts::names() const {
  std::vector<std::string> names;
  if (first_events_ > 0) names.push_back(first_->name);
  if (more_) {
    for (const auto& [service, events] : *more_) {
      if (events > 0) names.push_back(service->name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::size_t ServiceCounts::bytes() const {
  return more_ ? heap_bytes(more_.get()) + more_->size() * tree_node_bytes<std::map<Service*, std::uint64_t>> : 0;
}

}  // namespace raceway::server::storage::memory
