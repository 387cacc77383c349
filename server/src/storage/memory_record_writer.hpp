// Packs events into records (memory_record.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/memory_codec.hpp"
#include "storage/memory_metadata.hpp"
#include "storage/memory_record.hpp"
#include "wire/event.hpp"

namespace raceway::server::storage::memory {

/// Writes records for the end of a chunk. What it is given must live until it is started again or cleared.
/// Made to be used again and again, for what it remembers and what its buffers cost. Not thread-safe.
class RecordWriter {
 public:
  /// Begins behind the records that stand in the chunk already.
  void start(Dictionary& dictionary, std::string_view existing);
  /// Appends the record of an event to fresh(). Throws std::bad_alloc, and is then to be started again.
  void append(const wire::Event& event, const Id& id);

  std::string_view fresh() const { return fresh_.view(); }
  /// What the chunk will have with them.
  std::size_t chunk_size() const { return existing_.size() + fresh_.size(); }
  /// Forgets what it was given and what it has written, and gives back what a large event made it ask for.
  void clear();

 private:
  /// The members of one event's metadata that belong to its context.
  struct ContextMembers {
    std::uint64_t shape = 0;  // of the metadata
    std::array<const wire::JsonMember*, MetadataPlan::most_in_context> members{};
    std::size_t count = 0;
  };
  struct Context {
    Definition definition;
    std::optional<ContextMembers> members;  // of an event seen since start()
  };
  struct Clock {
    std::size_t record;
    std::string names;  // in their order, counted
  };

  void restore(const RecordHead& head);
  void look_at(const wire::Event& event);
  void put_context(std::size_t record);
  void define_context(std::size_t record);
  bool matches(Context& context) const;
  void put_clock(std::size_t record, const wire::Event& event);
  void read_clock(const wire::Event& event);
  void put_shape(const wire::Event& event);
  void put_rest(const wire::Event& event);

  static bool same_members(const ContextMembers& a, const ContextMembers& b);

  MetadataPlans plans_;
  ShapeNumbers shape_numbers_;

  Vocabulary vocabulary_;
  std::string_view existing_;
  ByteBuffer fresh_;

  // Of the event before.
  std::string restored_id_;
  std::string_view previous_id_;  // empty: there is none in the chunk
  wire::Micros previous_time_ = 0;
  std::size_t context_ = 0;  // the last one used, its place below
  std::size_t clock_ = 0;
  std::vector<Context> contexts_;
  std::vector<Clock> clocks_;

  // Of the event being written.
  const MetadataPlan* plan_ = nullptr;
  std::uint8_t flags_ = 0;
  ByteBuffer body_;
  ByteBuffer marks_;  // the shape without the keys
  ByteBuffer shape_;
  ByteBuffer values_;
  std::vector<std::size_t> mark_ends_;
  ContextMembers event_context_;
  const wire::Json* sent_clock_ = nullptr;  // causality_vector, where it says no more than the clock in another order
  std::vector<std::string_view> names_;
  std::vector<std::uint64_t> counters_;
  ByteBuffer names_key_;
};

}  // namespace raceway::server::storage::memory
