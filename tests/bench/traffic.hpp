// Traffic to be sent, multiplied: each copy of it has fresh ids and a later time, and is else as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace raceway::bench {

/// Every UUID, span id and thread id of a copy is replaced by a fresh one, the same wherever it stands in that copy, so
/// that traces, parents, spans and the components of clocks hang together as they did. Equal copies are equal texts.
/// Immutable once built, so safe from many threads.
class Traffic {
 public:
  /// Reads the bodies below `directory`: its folders by name, in each the *.json by name. Throws std::runtime_error
  /// where there is none. Each copy is `seconds_per_copy` later than the one before.
  Traffic(const std::filesystem::path& directory, std::int64_t seconds_per_copy);

  /// Traffic that no SDK sends, in the documented format: events of some 470 bytes with random UUIDs, 50 of a trace,
  /// and those of a hundred traces among each other. So a body of 100 has events of some 60 traces, most of them there
  /// already.
  static Traffic documented(std::int64_t seconds_per_copy);

  std::size_t events_in_copy() const { return events_.size(); }

  /// Appends the JSON of event `index` (in the order recorded) of copy `copy`, which is below 2^44.
  void append_event(std::string& out, std::uint64_t copy, std::size_t index) const;

 private:
  enum class What : std::uint8_t { uuid, hex, time };
  /// A place in an event's text that differs from copy to copy.
  struct Place {
    std::size_t offset;
    std::size_t length;
    What what;
    std::int64_t value;  ///< the id's number among the ids, or seconds since 1970
  };
  struct Event {
    std::string text;
    std::vector<Place> places;
  };

  explicit Traffic(std::int64_t seconds_per_copy) : seconds_per_copy_(seconds_per_copy) {}
  void add_body(const std::string& body);
  void add_event(std::string text);
  void add_id(Event& event, std::size_t offset, std::size_t length, What what);
  void find_ids(Event& event);
  void find_thread(Event& event);
  void find_time(Event& event);

  std::int64_t seconds_per_copy_;
  std::vector<Event> events_;
  std::unordered_map<std::string, std::int64_t> ids_;
};

/// A number's bits spread over all 64, different numbers to different ones: for ids that look random.
std::uint64_t spread(std::uint64_t x);

/// One event of one copy.
struct EventOf {
  std::uint64_t copy;
  std::size_t index;
};

/// What one client sends: which copies, and how they are cut into bodies.
struct Stream {
  std::uint64_t first_copy = 0;
  std::uint64_t copy_step = 1;  ///< takes every so-manieth copy
  std::size_t events = 0;
  std::size_t events_in_body = 1000;
  double duplicate_share = 0;  ///< of each body, the share of events that an earlier body had already; 0 to below 1
};

using Body = std::vector<EventOf>;

/// The bodies of a stream in order; the last one may be shorter.
std::vector<Body> cut(const Traffic& traffic, const Stream& stream);

/// {"events":[...]}
std::string json_of(const Traffic& traffic, const Body& body);

}  // namespace raceway::bench
