// Reads records (memory_record.hpp) back into events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "memory/codec.hpp"
#include "memory/record.hpp"
#include "storage/storage.hpp"

namespace raceway::server::memory {

/// Times differ by up to 2^63 and more: what overflows comes back.
constexpr std::uint64_t time_step(wire::Micros from, wire::Micros to) {
  return zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from)));
}
constexpr wire::Micros step_time(wire::Micros from, std::uint64_t step) {
  return static_cast<wire::Micros>(static_cast<std::uint64_t>(from) + static_cast<std::uint64_t>(unzigzag(step)));
}

/// The members of a context.
ShapeReader read_context(std::string_view definition, const Dictionary& dictionary);

/// The names of a clock's components.
struct ClockNames {
  bool as_sent = false;  ///< in the order sent, which the metadata has too; else in their own
  std::vector<std::string> names;
};
void read_names(std::string_view definition, const Dictionary& dictionary, ClockNames& names);

/// The events of a chunk, in the order in which they came.
class RecordReader {
 public:
  /// Both must live as long as it does.
  RecordReader(std::string_view chunk, const Dictionary& dictionary) : chunk_(chunk), dictionary_(dictionary) {}

  bool done() const { return at_ == chunk_.size(); }
  /// Steps over the records before an event's, which next() reads then. False, and done, where there is none.
  bool find(const Id& id);
  /// How many bytes next() reads, as far as they are in the chunk.
  std::size_t next_size() const;
  storage::StoredEvent next(const std::string& trace_id);

 private:
  void step_over(const RecordHead& head);
  std::string read_clock(ByteReader& from);
  std::string read_metadata(const RecordHead& head, std::string_view shape, ByteReader values) const;

  std::string_view chunk_;
  const Dictionary& dictionary_;
  std::size_t at_ = 0;

  // Of the event before.
  std::string previous_id_;  // as JSON
  wire::Micros time_ = 0;
  std::string_view context_;
  std::string_view clock_;

  ClockNames names_;
  const char* names_of_ = nullptr;  // the definition that they were read from

  std::string clock_as_sent_;  // of the event being read
};

}  // namespace raceway::server::memory
