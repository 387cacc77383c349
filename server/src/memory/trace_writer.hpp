// Adds events to one trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "memory/contents.hpp"
#include "memory/record_writer.hpp"
#include "memory/store.hpp"
#include "wire/event.hpp"

namespace raceway::server::memory {

/// An event on its way in.
struct OfferedEvent {
  OfferedEvent(const Id& its_id, const Id& its_trace, const wire::Event& its_event, Service* its_service)
      : id(its_id), trace_id(its_trace), event(&its_event), service(its_service) {}

  Id id;
  Id trace_id;
  const wire::Event* event;
  Service* service;                    ///< nullptr where it names none
  std::vector<std::uint32_t> cleared;  ///< places in other shards that its id's hash leads to, and is not at
  std::uint64_t cleared_as_of = 0;     ///< Store::chunks_given_back before they were looked at
};

/// Offers events of one trace to the store, while its shard's mutex is held alone. What was offered counts from
/// commit() on; without that, and when anything throws, it was never there.
class TraceWriter {
 public:
  enum class Outcome {
    stored,
    duplicate,  ///< is there already, in this trace, and says the same
    other,      ///< is there already, under another trace or with other contents: see reason()
    unclear,    ///< its id may be in another shard: look there, note what it is not at in `cleared`, offer it again
    too_large,  ///< its trace is as large as one may be
  };

  /// `records` is one that the caller keeps for the next trace, as is `comparison`. What is offered must live until
  /// commit().
  TraceWriter(Store& store, const Id& trace_id, RecordWriter& records, Comparison& comparison);
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  Outcome offer(const OfferedEvent& offered);
  const std::string& reason() const { return reason_; }
  void commit();

 private:
  Outcome claim(const OfferedEvent& offered);
  bool looks_like(const OfferedEvent& offered, std::uint32_t packed_locator, Outcome& outcome);
  std::string other_contents(const OfferedEvent& offered) const;
  bool is_too_large() const;
  void open();
  void write(const OfferedEvent& offered);
  void publish();
  void roll_back() noexcept;

  Store& store_;
  const Id& trace_id_;
  RecordWriter& records_;
  Comparison& comparison_;
  Shard& shard_;
  std::uint32_t trace_;         // none: there is none yet
  std::uint32_t chunk_ = none;  // that is written to, once there is one
  bool new_trace_ = false;      // since the last commit, both
  bool new_chunk_ = false;
  std::string reason_;
  std::uint32_t standing_in_ = none;  // the chunk of the duplicate that was found last
  std::vector<std::uint32_t> elsewhere_;

  // Since the last commit.
  std::vector<const OfferedEvent*> claimed_;
  std::vector<std::pair<Service*, std::uint64_t>> services_;
  wire::Micros first_;
  wire::Micros last_;
};

}  // namespace raceway::server::memory
