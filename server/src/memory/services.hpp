// How many events and traces each service has: in all, and in a trace.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "memory/bytes.hpp"
#include "storage/storage.hpp"

namespace raceway::server::memory {

/// A service that some event named.
struct Service {
  std::string name;
  std::size_t bytes = 0;  ///< of the heap, with its place in the map
  std::atomic<std::uint64_t> events = 0;
  std::atomic<std::uint64_t> traces = 0;
  std::atomic<std::uint64_t> pins = 0;
};

class Services;

/// Keeps a service where it is, though no event of it may be stored. Must not outlive the services.
class PinnedService {
 public:
  PinnedService() = default;
  /// Of a service that was pinned for it.
  PinnedService(Services& services, Service& service) : services_(&services), service_(&service) {}
  PinnedService(PinnedService&& other) noexcept
      : services_(other.services_), service_(std::exchange(other.service_, nullptr)) {}
  PinnedService& operator=(PinnedService&& other) noexcept {
    std::swap(services_, other.services_);
    std::swap(service_, other.service_);
    return *this;
  }
  ~PinnedService();

  /// nullptr where there is none.
  Service* get() const { return service_; }

 private:
  Services* services_ = nullptr;
  Service* service_ = nullptr;
};

/// Thread-safe. A Service stays where it is as long as it is pinned or a trace has events of it; then it goes.
class Services {
 public:
  /// The service of that name, made where there is none yet.
  PinnedService get(std::string_view name);
  /// None where no event has named it.
  PinnedService find(std::string_view name);
  /// Those with events, by name.
  std::vector<storage::ServiceSummary> summaries() const;
  /// What it takes of the heap. Takes no lock.
  std::size_t bytes() const { return bytes_in_use_.load(std::memory_order_relaxed); }

  /// A trace with so many events of the service goes.
  void take_off(Service& service, std::uint64_t events) noexcept;
  /// Undoes what get() and find() have done to it.
  void unpin(Service& service) noexcept;

 private:
  template <class Change>
  void let_go(Service& service, Change change) noexcept;
  void drop_unused(std::string_view name) noexcept;

  mutable std::shared_mutex mutex_;
  std::size_t bytes_taken_ = 0;  // since the beginning
  std::atomic<std::size_t> bytes_in_use_ = 0;
  std::map<std::string_view, std::unique_ptr<Service>, std::less<>,
           CountedAllocator<std::pair<const std::string_view, std::unique_ptr<Service>>>>
      by_name_{CountedAllocator<std::byte>(bytes_taken_)};  // the name in the service itself
};

inline PinnedService::~PinnedService() {
  if (service_ != nullptr) services_->unpin(*service_);
}

/// The services of one trace; most have one. Not thread-safe.
class ServiceCounts {
 public:
  struct Count {
    Service* service;
    std::uint64_t events;  ///< none where it is only prepared; the service may be gone then
  };

  /// Makes room for one, so that add() cannot fail. Throws std::bad_alloc, and then bytes() is as before.
  void prepare(Service& service);
  /// Counts events, here and in the service itself, which is pinned.
  void add(Service& service, std::uint64_t events) noexcept;
  bool has(const Service& service) const;
  /// Sorted.
  std::vector<std::string> names() const;
  /// Calls `visit(count)` for each service with events.
  template <class Visit>
  void each(Visit visit) const {
    if (first_.events > 0) visit(first_);
    if (!more_) return;
    for (const Count& count : *more_) {
      if (count.events > 0) visit(count);
    }
  }
  /// What it takes of the heap, beside itself.
  std::size_t bytes() const;

 private:
  using Counts = std::vector<Count>;

  static Counts::iterator place_in(Counts& counts, const Service& service);

  Count first_{nullptr, 0};
  std::unique_ptr<Counts> more_;  // by address
};

}  // namespace raceway::server::memory
