// Where events are kept. Two backends implement this interface: memory and PostgreSQL.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/memory_limits.hpp"
#include "wire/event.hpp"
#include "wire/rejections.hpp"

namespace raceway::server::storage {

/// The backend cannot answer now, and may soon: the client is told to come again (503). what() is for whoever runs the
/// server or the command: it may name hosts, users and databases.
class Unavailable : public std::runtime_error {
 public:
  /// For everybody.
  explicit Unavailable(const std::string& what) : std::runtime_error(what), told_(what) {}
  /// `told` is what strangers may know of it.
  Unavailable(const std::string& what, std::string told) : std::runtime_error(what), told_(std::move(told)) {}
  const std::string& told() const { return told_; }

 private:
  std::string told_;
};

/// The backend takes no body as large as this one, however often it comes: the client is told to send less (413).
class BodyTooLarge : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What became of one body of events.
struct IngestResult {
  std::uint64_t stored = 0;
  std::uint64_t duplicates = 0;  ///< were there already, nothing changed
  wire::Rejections rejected;
};

/// A row that owns its text.
struct StoredEvent {
  std::string event_id;
  std::string trace_id;
  std::string kind;
  wire::Micros timestamp = 0;
  std::optional<float> duration_ms;
  std::optional<std::string> location;
  std::string vector_clock;  ///< a JSON object, empty where the event has none
  std::string metadata;      ///< a JSON object

  static StoredEvent of(const wire::Row& row);
  wire::Row row() const;
  bool operator==(const StoredEvent&) const = default;
};

/// The events of one trace as of one moment, apart from the store: they may be read for as long as their reader likes,
/// and nobody waits for that. Counted in the budget as long as they are there. Not thread-safe.
class TraceEvents {
 public:
  using Visit = std::function<bool(const wire::Row&)>;

  using Moment = std::chrono::system_clock::time_point;

  /// Nothing that was stored before `as_of` is missing.
  explicit TraceEvents(Moment as_of) : as_of_(as_of) {}
  TraceEvents(const TraceEvents&) = delete;
  TraceEvents& operator=(const TraceEvents&) = delete;
  virtual ~TraceEvents() = default;

  Moment as_of() const { return as_of_; }
  /// How many there are, one at least.
  virtual std::uint32_t count() const = 0;
  /// Each in turn, in no particular order that stays the same. A row's texts are there during its visit. Ends early
  /// where `visit` answers false; answers whether it did not.
  virtual bool each(const Visit& visit) = 0;
  /// Likewise those with these places in that order, as they stand in `places`. Fastest where neighbours stay together.
  virtual bool each_of(std::span<const std::uint32_t> places, const Visit& visit) = 0;

 private:
  const Moment as_of_;
};

/// What tells whether a trace has changed: an event is never changed, so its events are the same where these are.
struct TraceState {
  std::string trace_id;
  std::uint64_t event_count = 0;
  wire::Micros first_timestamp = 0;
  wire::Micros last_timestamp = 0;

  bool operator==(const TraceState&) const = default;
};

struct TraceSummary {
  std::string trace_id;
  std::uint64_t event_count = 0;
  wire::Micros first_timestamp = 0;
  wire::Micros last_timestamp = 0;
  std::vector<std::string> services;  ///< every service with an event in the trace, sorted

  TraceState state() const;
};

/// A place in the order of list_traces: that of a trace, whether it is there or not.
struct TracePlace {
  wire::Micros last_timestamp = 0;
  std::string trace_id;
};

struct TraceFilter {
  std::optional<std::string> service;  ///< traces with an event of this service
  std::uint64_t min_events = 0;
  std::optional<wire::Micros> from;  ///< traces with last_timestamp at or after
  std::optional<wire::Micros> to;    ///< traces with first_timestamp at or before
};

struct TracePage {
  std::uint64_t total = 0;  ///< traces that pass the filter
  std::vector<TraceSummary> traces;
};

/// What came or grew lately.
struct Changes {
  std::int64_t as_of = 0;            ///< micros since 1970: what comes later is asked for with it
  std::vector<TraceSummary> traces;  ///< in the order of list_traces
  bool more = false;                 ///< there were more than were asked for
};

/// What a database says of itself to those who may read. Names neither hosts nor users.
struct DatabaseReport {
  struct Cleanup {
    wire::Micros started = 0;
    std::optional<wire::Micros> ended;
    std::string rule;
    std::uint64_t traces = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::string outcome;  ///< running, done, interrupted or dry run
  };
  std::string edition;       ///< extension or portable
  std::string partition_by;  ///< none, day, week or month
  std::uint64_t partitions = 0;
  std::uint64_t bytes = 0;        ///< of all tables with their indexes
  std::vector<Cleanup> cleanups;  ///< the last ones, newest first
};

struct ServiceSummary {
  std::string name;
  std::uint64_t event_count = 0;
  std::uint64_t trace_count = 0;
};

struct Totals {
  std::uint64_t events = 0;
  std::uint64_t traces = 0;
};

/// How full a store is that has limits of its own.
struct Fullness {
  std::uint64_t bytes = 0;
  MemoryLimits limits;
  std::array<EvictionCounts, memory_limits> evicted;  ///< by MemoryLimit, since the start

  EvictionCounts evicted_in_all() const;
};

/// How a store that is a database uses its connections.
struct DatabaseUse {
  unsigned in_use = 0;
  unsigned idle = 0;
  unsigned waiting = 0;  ///< requests and writers that wait for one
  unsigned max = 0;
  std::uint64_t timeouts = 0;                           ///< waits that were given up, since the start
  std::chrono::steady_clock::time_point answered_at{};  ///< when one came back in order
};

/// Thread-safe throughout. Reads see every event whose ingest has returned. Throws Unavailable, or std::runtime_error
/// for what coming again does not mend.
class Storage {
 public:
  using VisitTrace = std::function<bool(const TraceSummary& summary, TraceEvents& events)>;

  virtual ~Storage() = default;

  /// Stores several bodies at once, or nothing of them; results in the bodies' order, each one's rejections by index.
  /// Throws wire::BodyError where a body is none, BodyTooLarge where one of them is too large.
  virtual std::vector<IngestResult> ingest(const std::vector<std::string_view>& bodies) = 0;

  /// Throws Unavailable where the backend could not answer now.
  virtual void check() = 0;

  /// Reading calls that wait for another system end at once with Unavailable, as do later ones.
  virtual void stop_reads() {}

  /// The same for all calls. What ingest() was about may have been stored, or not.
  virtual void stop() {}

  virtual Totals totals() = 0;

  /// Traces newest last_timestamp first, then by trace_id; `page` from 1.
  virtual TracePage list_traces(const TraceFilter& filter, std::uint64_t page, std::uint64_t page_size) = 0;

  /// The first `most` traces in the order of list_traces, behind a place of it or from its beginning. Looks neither at
  /// their events nor at those before.
  virtual std::vector<TraceState> traces_behind(const std::optional<TracePlace>& place, std::uint64_t most) = 0;
  std::vector<TraceState> newest_traces(std::uint64_t most) { return traces_behind(std::nullopt, most); }

  /// Nothing where there is no such trace.
  virtual std::unique_ptr<TraceEvents> trace(const std::string& trace_id) = 0;

  /// Calls `visit` for each trace that passes when it begins, in the order of list_traces as of then. Each is shown as
  /// of a moment of its own, its summary agrees with its events. Holds few traces at a time, and nothing that others
  /// wait for while `visit` runs. Ends early where `visit` answers false. `begin` is called first, with the number of
  /// traces to come; those that are deleted meanwhile do not.
  virtual void each_trace(const TraceFilter& filter, const std::function<void(std::uint64_t total)>& begin,
                          const VisitTrace& visit) = 0;

  /// Of those of these traces that are there, in no particular order.
  virtual std::vector<TraceSummary> summaries(const std::vector<std::string>& trace_ids) = 0;

  /// Those that came or grew after `since`, some of them once more; none where that is not said. Those that grew last,
  /// `most` at most. Takes no more time where there are many traces.
  virtual Changes changes(std::optional<std::int64_t> since, std::size_t most) = 0;

  /// Those of these events that the trace has, in no particular order.
  virtual std::vector<StoredEvent> events_of(const std::string& trace_id,
                                             const std::vector<std::string>& event_ids) = 0;

  /// Shows these traces in that order, as each_trace() shows those that pass; what is not there is left out. Answers
  /// whether `visit` never answered false.
  virtual bool traces_of(const std::vector<std::string>& trace_ids, const VisitTrace& visit) = 0;

  /// Nothing where another system sees to it.
  virtual std::optional<Fullness> fullness() { return std::nullopt; }

  /// Nothing where the store is no database. Does not ask the database.
  virtual std::optional<DatabaseUse> database_use() { return std::nullopt; }

  /// Likewise; asks it. `cleanups` is how many of the last ones to tell.
  virtual std::optional<DatabaseReport> database_report(std::uint64_t /*cleanups*/) { return std::nullopt; }

  /// By name.
  virtual std::vector<ServiceSummary> services() = 0;
};

}  // namespace raceway::server::storage
