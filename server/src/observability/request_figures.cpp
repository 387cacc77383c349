#include "observability/request_figures.hpp"

#include <algorithm>
#include <memory>

namespace raceway::server::observability {

struct RequestFigures::Counts {
  explicit Counts(std::string_view route) : name(route) {}
  const std::string name;
  std::array<std::array<std::atomic<std::uint64_t>, statuses.size()>, methods.size()> requests{};
  DurationHistogram durations{duration_bounds};
};

namespace {

std::size_t method_class(std::string_view method) {
  const auto& known = RequestFigures::methods;
  const auto* const found = std::find(known.begin(), known.end() - 1, method);
  return static_cast<std::size_t>(found - known.begin());
}

std::size_t status_class(int status) {
  constexpr int last = static_cast<int>(RequestFigures::statuses.size());
  return static_cast<std::size_t>(std::clamp(status / 100, 1, last) - 1);
}

}  // namespace

RequestFigures::~RequestFigures() {
  for (auto& route : routes_) delete route.load();
}

RequestFigures::Counts& RequestFigures::counts_of(std::string_view route) {
  for (const auto& place : routes_) {
    Counts* const counts = place.load(std::memory_order_acquire);
    if (counts == nullptr) break;
    if (counts->name == route) return *counts;
  }
  return add(route);
}

RequestFigures::Counts& RequestFigures::add(std::string_view route) {
  const std::scoped_lock lock(adding_);
  for (std::size_t at = 0; at < most_routes; ++at) {
    Counts* const there = routes_[at].load(std::memory_order_relaxed);
    if (there != nullptr && there->name == route) return *there;
    if (there != nullptr) continue;
    routes_[at].store(new Counts(route), std::memory_order_release);
    return *routes_[at].load(std::memory_order_relaxed);
  }
  if (routes_[most_routes].load(std::memory_order_relaxed) == nullptr)
    routes_[most_routes].store(new Counts("other"), std::memory_order_release);
  return *routes_[most_routes].load(std::memory_order_relaxed);
}

void RequestFigures::record(const AnsweredRequest& request) {
  Counts& counts = counts_of(request.route.empty() ? "none" : request.route);
  counts.requests[method_class(request.method)][status_class(request.status)].fetch_add(1, std::memory_order_relaxed);
  counts.durations.observe(static_cast<std::uint64_t>(std::max<std::int64_t>(0, request.duration.count())));
  received_bytes_.fetch_add(request.received_bytes, std::memory_order_relaxed);
  sent_bytes_.fetch_add(request.sent_bytes, std::memory_order_relaxed);
}

RequestFigures::Reading RequestFigures::read() const {
  Reading reading;
  reading.received_bytes = received_bytes_.load(std::memory_order_relaxed);
  reading.sent_bytes = sent_bytes_.load(std::memory_order_relaxed);
  for (const auto& place : routes_) {
    const Counts* const counts = place.load(std::memory_order_acquire);
    if (counts == nullptr) continue;
    auto& route = reading.routes.emplace_back();
    route.name = counts->name;
    route.durations = counts->durations.read();
    for (std::size_t method = 0; method < methods.size(); ++method) {
      for (std::size_t status = 0; status < statuses.size(); ++status)
        route.requests[method][status] = counts->requests[method][status].load(std::memory_order_relaxed);
    }
  }
  return reading;
}

void append_requests(Families& families, const RequestFigures::Reading& reading) {
  auto& requests = append_family(families, "raceway_http_requests_total",
                                 "Requests that were answered, by route, method and class of status.",
                                 prometheus::MetricType::Counter);
  for (const auto& route : reading.routes) {
    for (std::size_t method = 0; method < route.requests.size(); ++method) {
      for (std::size_t status = 0; status < route.requests[method].size(); ++status) {
        const auto count = route.requests[method][status];
        if (count == 0) continue;
        add_counter(requests, number(count),
                    {{"method", std::string(RequestFigures::methods[method])},
                     {"route", route.name},
                     {"status", std::string(RequestFigures::statuses[status])}});
      }
    }
  }
  auto& durations =
      append_family(families, "raceway_http_request_duration_seconds",
                    "From the first byte of a request to the last of its answer.", prometheus::MetricType::Histogram);
  for (const auto& route : reading.routes)
    add_histogram(durations, route.durations, microseconds, {{"route", route.name}});
  append_counter(families, "raceway_http_received_bytes_total", "Bytes of request bodies, decompressed.",
                 number(reading.received_bytes));
  append_counter(families, "raceway_http_sent_bytes_total", "Bytes of answers.", number(reading.sent_bytes));
}

}  // namespace raceway::server::observability
