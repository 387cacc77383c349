// The events of one trace as the analysis needs them: some fifty bytes each, texts known by number.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "causality/clock.hpp"
#include "causality/names.hpp"

namespace raceway::causality {

/// No event, line or strand.
inline constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

/// The kinds that the analysis tells apart.
enum class Kind : std::uint8_t {
  other,
  function_call,
  async_spawn,
  async_await,
  state_change,
  lock_acquire,
  lock_release,
  http_request,
  http_response,
  database_query
};

enum class Access : std::uint8_t { no_access, read, write, atomic_read, atomic_write, atomic_rmw };

/// Which thread of which program an event is of, in which span. Empty: not known.
struct Origin {
  std::string_view service;
  std::string_view instance;
  std::string_view process;
  std::string_view thread;
  std::string_view span;
  std::string_view upstream_span;
};

/// What is told of an event. Refers to texts of the caller, which need to stay during the call only.
struct EventFacts {
  /// Stands for the id: equal exactly where the ids are, never 0.
  std::uint64_t id = 0;
  std::uint64_t parent = 0;    ///< likewise that of the parent, which may be no event of the trace; 0: none
  std::int64_t timestamp = 0;  ///< microseconds since any one epoch
  std::int32_t nanos = 0;      ///< beyond them, 0 to 999
  Kind kind = Kind::other;
  Access access = Access::no_access;
  bool shared_lock = false;  ///< of a lock's kind: it is held beside others
  /// By kind: the variable, the lock's id, the task's id, the function's name, else empty.
  std::string_view subject;
  std::string_view location;
  Origin origin;
  std::optional<std::int64_t> duration_nanos;
  std::span<const Component> clock;              ///< as TraceEvent::clock
  std::span<const std::uint64_t> links = {};     ///< ids of other events that it names as its causes
  std::span<const std::string_view> locks = {};  ///< that the client says are held, besides those it told of as events
};

/// Events in the order of (timestamp, nanos, id), once all were added; an event is known by its place in it, its rank.
/// So neither the order of arrival nor the way the events are kept ever shows. Not thread-safe.
class EventTable {
 public:
  struct Event {
    std::int64_t timestamp;
    std::uint64_t id;
    std::uint64_t parent_id;
    std::int64_t duration_nanos;  ///< -1: not told
    std::uint32_t place;          ///< how many were added before it
    std::uint32_t origin;
    std::uint32_t subject;
    std::uint32_t location;
    std::uint32_t locks;
    std::int16_t nanos;
    Kind kind;
    Access access;
    bool shared_lock;
  };
  /// Numbers of names.
  struct OriginNames {
    std::uint32_t service, instance, process, thread, span, upstream_span;
    auto operator<=>(const OriginNames&) const = default;
  };
  struct ClockEntry {
    std::uint32_t component;
    std::uint32_t counter_high;
    std::uint32_t counter_low;
    Counter counter() const { return (Counter{counter_high} << 32U) | counter_low; }
  };
  /// The ids of the events at these places, which rise.
  using ReadIds = std::function<std::vector<std::string>(std::span<const std::uint32_t> places)>;

  explicit EventTable(std::size_t events = 0);

  /// Fewer than 2^30.
  void add(const EventFacts& facts);
  /// To be called once, behind the last add(). `read_ids` is asked for the ids of events of one time, at most once.
  void finish(const ReadIds& read_ids);

  std::uint32_t size() const { return static_cast<std::uint32_t>(events_.size()); }
  const Event& operator[](std::uint32_t rank) const { return events_[rank]; }
  const OriginNames& origin(std::uint32_t rank) const { return origins_[events_[rank].origin]; }
  const std::vector<OriginNames>& origins() const { return origins_; }
  /// In the order of the components' names; without zeros.
  std::span<const ClockEntry> clock(std::uint32_t rank) const {
    const auto place = events_[rank].place;
    return {clocks_.data() + clock_begin_[place], clock_begin_[place + 1] - clock_begin_[place]};
  }
  /// Names of locks, of Event::locks.
  std::span<const std::uint32_t> locks(std::uint32_t number) const { return lock_sets_[number]; }
  const Names& names() const { return names_; }
  /// The rank of the parent of each event, or none; of several events with one id it is the earliest.
  std::vector<std::uint32_t> parents() const;
  /// By ranks: from an event to one that names it as its cause, besides its parent.
  struct Link {
    std::uint32_t from, to;
  };
  /// In the order of `to`, those of one event as it names them.
  std::vector<Link> links() const;

  /// What it takes of the heap.
  std::size_t bytes() const;

 private:
  struct NamedLink {
    std::uint32_t place;
    std::uint64_t id;
  };
  class Ranks;

  std::uint32_t origin_number(const Origin& origin);

  std::vector<Event> events_;
  std::vector<OriginNames> origins_;
  std::map<OriginNames, std::uint32_t> origin_numbers_;
  std::array<std::string, 6> last_origin_;
  std::uint32_t last_origin_number_ = none;
  std::vector<std::uint32_t> clock_begin_ = {0};
  std::vector<ClockEntry> clocks_;
  std::vector<NamedLink> links_;
  std::vector<std::vector<std::uint32_t>> lock_sets_ = {{}};
  std::map<std::vector<std::uint32_t>, std::uint32_t> lock_set_numbers_;
  Names names_;
};

}  // namespace raceway::causality
