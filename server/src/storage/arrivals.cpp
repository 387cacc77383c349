#include "storage/arrivals.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "wire/timestamp.hpp"

namespace raceway::server::storage {
namespace {

/// Takes the text behind `"trace_id" :` off `json`; empty where there is none that is without escapes.
std::string_view next_trace_id(std::string_view& json) {
  constexpr std::string_view name = "\"trace_id\"";
  constexpr std::string_view blanks = " \t\r\n";
  const auto skip = [&](char expected) {
    json.remove_prefix(std::min(json.find_first_not_of(blanks), json.size()));
    if (!json.starts_with(expected)) return false;
    json.remove_prefix(1);
    return true;
  };
  const auto at = json.find(name);
  json.remove_prefix(at == std::string_view::npos ? json.size() : at + name.size());
  if (!skip(':') || !skip('"')) return {};
  const auto id = json.substr(0, json.find_first_of("\"\\"));
  json.remove_prefix(id.size());
  return json.starts_with('"') ? id : std::string_view();
}

}  // namespace

std::int64_t Arrivals::now() {
  return wire::micros_of(std::chrono::system_clock::now()) - wire::unix_epoch;
}

void Arrivals::note(const std::vector<std::string_view>& bodies) {
  const std::int64_t time = now();
  if (time > watched_until_.load(std::memory_order_relaxed)) return;
  const std::scoped_lock lock(mutex_);
  for (std::string_view body : bodies) {
    std::string_view last;
    while (!body.empty()) {
      const auto id = next_trace_id(body);
      if (id.empty() || id == last) continue;
      last = id;
      arrivals_.push_back({time, std::string(id)});
      if (arrivals_.size() > most) arrivals_.pop_front();
    }
  }
}

std::vector<std::string> Arrivals::since(std::int64_t time) {
  constexpr std::int64_t a_minute = 60'000'000;
  watched_until_.store(now() + a_minute, std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> ids;
  std::set<std::string_view> known;
  for (auto at = arrivals_.rbegin(); at != arrivals_.rend() && at->time >= time; ++at) {
    if (known.insert(at->trace_id).second) ids.push_back(at->trace_id);
  }
  return ids;
}

}  // namespace raceway::server::storage
