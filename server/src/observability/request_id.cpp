#include "observability/request_id.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>
#include <utility>

namespace raceway::server::observability {
namespace {

thread_local const RequestScope* innermost = nullptr;

/// Random once a process, so that the ids of two servers behind one name do not meet.
std::uint64_t process_part() {
  static const std::uint64_t part = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
  }();
  return part;
}

}  // namespace

std::string new_request_id() {
  static std::atomic<std::uint32_t> count{0};
  return fmt::format("{:016x}{:08x}", process_part(), count.fetch_add(1, std::memory_order_relaxed));
}

std::string accept_request_id(std::string_view offered) {
  constexpr std::size_t longest = 128;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  const bool usable =
      !offered.empty() && offered.size() <= longest && std::all_of(offered.begin(), offered.end(), allowed);
  return usable ? std::string(offered) : new_request_id();
}

RequestScope::RequestScope(std::string id) : id_(std::move(id)), outer_(std::exchange(innermost, this)) {}
RequestScope::~RequestScope() {
  innermost = outer_;
}

std::string_view current_request_id() {
  return innermost == nullptr ? std::string_view() : innermost->id();
}

}  // namespace raceway::server::observability
