// Events as a ShiViz log: what shiviz_text describes, so that ShiViz takes it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "causality/clock.hpp"
#include "wire/json.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving {

/// What stands before the events.
std::string shiviz_header();

/// What a log shows otherwise than it was recorded, in numbers of events but for `split`: see ShivizLayout.
struct ShivizChanges {
  std::uint64_t placed = 0;
  std::uint64_t left_out = 0;
  std::uint64_t equal = 0;
  std::uint64_t split = 0;

  /// For people, a line each; empty where there is nothing to say.
  std::string text() const;
};

/// Takes events trace by trace and holds those of one trace, for a clock may depend on all of them. A log says who saw
/// an event by the host: the clock's component that the event's metadata point to (host, service and instance, thread),
/// else the one that was sent last. A trace of which nothing can be shown is left out as a whole.
class ShivizWriter {
 public:
  /// `text` is an event in the form of event_text. Appends the trace before it where it begins another one. Throws
  /// wire::BodyError or wire::EventError where `text` is none.
  void append(std::string& out, std::string_view text);

  /// Appends the last trace.
  void finish(std::string& out);

  const ShivizChanges& changes() const { return changes_; }

 private:
  struct Kept {
    std::string beginning;  // the event's first line
    std::string id;
    std::string parent_id;
    wire::Timestamp time;
    std::vector<causality::Component> clock;  // of names_
    std::string_view component;               // likewise
    std::string_view strand;
    std::string_view strand_name;
  };

  std::string_view keep_name(std::string_view name) { return *names_.emplace(name).first; }
  void keep_clock(const wire::Json& event, Kept& kept);
  void keep_strand(const wire::Json& metadata, Kept& kept);
  void write_trace(std::string& out);

  std::string trace_;
  bool has_trace_ = false;
  std::vector<Kept> events_;
  std::set<std::string, std::less<>> names_;
  ShivizChanges changes_;
};

}  // namespace raceway::server::moving
