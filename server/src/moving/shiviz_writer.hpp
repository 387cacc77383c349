// An event as two lines of a ShiViz log that shiviz_text describes.
#pragma once

#include <string>
#include <string_view>

namespace raceway::server::moving {

/// What stands before the events.
std::string shiviz_header();

/// Appends events in the form of event_text, those of a trace one after the other. A log says who saw an event by the
/// host: the clock's component that the event's metadata point to (host, service and instance, thread), else the one
/// that was sent last.
class ShivizWriter {
 public:
  /// Throws wire::BodyError or wire::EventError where `text` is none.
  void append(std::string& out, std::string_view text);

 private:
  std::string trace_;
  bool has_trace_ = false;
};

}  // namespace raceway::server::moving
