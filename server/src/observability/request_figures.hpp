// How many requests there were, of which kind, and how long they took.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "observability/families.hpp"
#include "observability/histogram.hpp"

namespace raceway::server::observability {

/// One answered request, as far as it is counted.
struct AnsweredRequest {
  std::string_view method;  ///< as sent; empty where it could not be read
  std::string_view route;   ///< the pattern of the route, not the path; empty where none matched
  int status = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::chrono::microseconds duration{0};
};

/// Thread-safe; record() takes no lock but where a route is seen for the first time. What clients can choose does not
/// make it grow: methods and status codes fall into fixed classes, and routes are the server's own.
class RequestFigures {
 public:
  static constexpr std::array<std::string_view, 8> methods{"GET",    "HEAD",  "POST",    "PUT",
                                                           "DELETE", "PATCH", "OPTIONS", "other"};
  static constexpr std::array<std::string_view, 5> statuses{"1xx", "2xx", "3xx", "4xx", "5xx"};
  /// More routes than these are counted together.
  static constexpr std::size_t most_routes = 48;

  struct Route {
    std::string name;  ///< "none" where none matched, "other" for those over most_routes
    std::array<std::array<std::uint64_t, statuses.size()>, methods.size()> requests{};
    HistogramReading<duration_bounds.size()> durations;
  };
  struct Reading {
    std::vector<Route> routes;  ///< those that were asked for
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
  };

  RequestFigures() = default;
  ~RequestFigures();
  RequestFigures(const RequestFigures&) = delete;
  RequestFigures& operator=(const RequestFigures&) = delete;

  void record(const AnsweredRequest& request);
  Reading read() const;

 private:
  struct Counts;
  Counts& counts_of(std::string_view route);
  Counts& add(std::string_view route);

  std::array<std::atomic<Counts*>, most_routes + 1> routes_{};  // in order of appearance, then null; owned
  std::mutex adding_;
  std::atomic<std::uint64_t> received_bytes_{0};
  std::atomic<std::uint64_t> sent_bytes_{0};
};

/// What /metrics shows of them.
void append_requests(Families& families, const RequestFigures::Reading& reading);

}  // namespace raceway::server::observability
