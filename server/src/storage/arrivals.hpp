// The ids of traces that this server stored events of lately, for a store that cannot be asked for them.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace raceway::server::storage {

/// Thread-safe. Costs next to nothing as long as nobody has asked for a minute.
class Arrivals {
 public:
  /// The time as since() takes it: microseconds since 1970.
  static std::int64_t now();
  /// Notes the traces of bodies that were stored. Ids that have escapes in JSON are not noted.
  void note(const std::vector<std::string_view>& bodies);
  /// Those that were noted at that time or later, each once, those noted last first; as far as
  /// there is room for them.
  std::vector<std::string> since(std::int64_t time);

 private:
  static constexpr std::size_t most = 16'384;
  struct Arrival {
    std::int64_t time;
    std::string trace_id;
  };

  std::atomic<std::int64_t> watched_until_ = 0;
  std::mutex mutex_;
  std::deque<Arrival> arrivals_;
};

}  // namespace raceway::server::storage
