// Where an export takes its events from.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/endpoint.hpp"
#include "moving/options.hpp"

namespace raceway::server::moving {

/// An event as event_text writes it; lives until the call returns.
using VisitEvent = std::function<void(std::string_view text)>;

class Source {
 public:
  virtual ~Source() = default;

  /// Visits every event of the selected traces once, as of one moment (of a server in memory: one moment for each
  /// trace). With `by_trace`, those of a trace one after the other. Holds a few thousand events at a time. Answers the
  /// selected trace ids that are not there. Throws std::runtime_error; what was visited before is then not all.
  virtual std::vector<std::string> each_event(const Selection& selection, bool by_trace, const VisitEvent& visit) = 0;
};

std::unique_ptr<Source> open_source(const config::Endpoint& endpoint);

}  // namespace raceway::server::moving
