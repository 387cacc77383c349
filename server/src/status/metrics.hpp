// The samples of GET /metrics that say how a server is doing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace raceway::server::status {

/// The samples of a text in the format of Prometheus, by name; of each its labels as written, without braces, and its
/// value. Lines that are none are passed over.
class Metrics {
 public:
  explicit Metrics(std::string_view text);

  /// The sum over all labels; nothing where there is no such sample.
  std::optional<double> value(std::string_view name) const;

  /// "idle 2, in_use 1": by the values of their labels; empty where there is no such sample.
  std::string by_label(std::string_view name) const;

 private:
  std::map<std::string, std::vector<std::pair<std::string, double>>, std::less<>> samples_;
};

/// What of it is for people: name and text of each line, e.g. {"buffer", "12 of 100,000 events"}.
std::vector<std::pair<std::string, std::string>> metric_lines(const Metrics& metrics);

}  // namespace raceway::server::status
