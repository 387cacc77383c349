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

#include "storage/memory_bytes.hpp"
#include "storage/storage.hpp"

namespace raceway::server::storage::memory {

/// A service that some event named.
struct Service {
  std::string name;
  std::atomic<std::uint64_t> events = 0;
  std::atomic<std::uint64_t> traces = 0;
};

/// Thread-safe. A Service stays where it is.
class Services {
 public:
  /// The service of that name, made where there is none yet.
  Service& get(std::string_view name);
  /// Nothing where no event has named it.
  const Service* find(std::string_view name) const;
  /// Those with events, by name.
  std::vector<ServiceSummary> summaries() const;
  /// What it takes of the heap.
  std::size_t bytes() const;

 private:
  mutable std::shared_mutex mutex_;
  std::size_t bytes_ = 0;
  std::map<std::string_view, std::unique_ptr<Service>, std::less<>,
           CountedAllocator<std::pair<const std::string_view, std::unique_ptr<Service>>>>
      by_name_{CountedAllocator<std::byte>(bytes_)};  // the name in the service itself
};

/// The services of one trace; most have one. Not thread-safe.
class ServiceCounts {
 public:
  /// Makes room for one, so that add() cannot fail. Throws std::bad_alloc, and then bytes() is as before.
  void prepare(Service& service);
  /// Counts events, here and in the service itself.
  void add(Service& service, std::uint64_t events) noexcept;
  bool has(const Service& service) const;
  /// Sorted.
  std::vector<std::string> names() const;
  /// What it takes of the heap, beside itself.
  std::size_t bytes() const;

 private:
  struct Count {
    Service* service;
    std::uint64_t events;  // none where it is only prepared
  };
  using Counts = std::vector<Count>;

  static Counts::iterator place_in(Counts& counts, const Service& service);

  Count first_{nullptr, 0};
  std::unique_ptr<Counts> more_;  // by address
};

}  // namespace raceway::server::storage::memory
