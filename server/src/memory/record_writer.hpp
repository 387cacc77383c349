// Packs events into records (memory_record.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "causality/clock.hpp"
#include "memory/codec.hpp"
#include "memory/metadata.hpp"
#include "memory/record.hpp"
#include "wire/event.hpp"

namespace raceway::server::memory {

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
    std::uint64_t keys = 0;  // where not 0: contexts with the same number have the same keys
    std::array<const wire::JsonMember*, MetadataPlan::most_in_context> members{};
    std::size_t count = 0;
  };
  struct Context {
    Definition definition;
    std::optional<ContextMembers> members;  // of an event seen since start()
  };
  struct Clock {
    std::size_t record;
    bool as_sent;
    std::size_t first_name;  // in clock_names_
    std::size_t names;
  };
  using Components = std::span<const causality::Component>;
  using Members = std::span<const wire::JsonMember* const>;

  void restore(const RecordHead& head);
  void restore_clock(const Definition& definition);
  void put_context(std::size_t record, const wire::Event& event);
  void gather_context(const wire::Event& event);
  std::optional<std::size_t> find_context(const wire::Event& event);
  void define_context(std::size_t record);
  bool matches(Context& context) const;
  bool is_permutation(const wire::Json& pairs, Components clock);
  void put_clock(std::size_t record, const wire::Event& event);
  void define_clock(std::size_t record, Components clock);
  bool matches(const Clock& clock, Components components) const;
  void take_apart(Members members);
  void put_shape(ShapeNumbers& known, std::uint64_t keys, std::optional<std::string_view> kind, Members members);
  void put_rest(const wire::Event& event);

  static bool same_members(const ContextMembers& a, const ContextMembers& b);

  MetadataPlans plans_;
  ShapeNumbers own_shapes_;
  ShapeNumbers context_shapes_;

  Vocabulary vocabulary_;
  std::string_view existing_;
  ByteBuffer fresh_;

  // Of the event before.
  std::string restored_id_;
  std::string_view previous_id_;  // empty: there is none in the chunk
  wire::Micros previous_time_ = 0;
  std::size_t context_ = 0;           // the last one used, its place below
  std::uint32_t context_number_ = 0;  // of the event that it was used for
  std::size_t clock_ = 0;             // likewise
  std::vector<Context> contexts_;
  std::vector<Clock> clocks_;
  std::vector<std::string_view> clock_names_;
  std::deque<std::string> restored_names_;  // those of clock_names_ that no event holds

  // Of the event being written.
  const MetadataPlan* plan_ = nullptr;
  std::uint8_t flags_ = 0;
  std::vector<const wire::JsonMember*> own_members_;  // those that are not of the context
  const wire::JsonMember* parent_ = nullptr;
  ByteBuffer marks_;  // a shape without the keys
  std::vector<std::size_t> mark_ends_;
  ByteBuffer shape_;
  ByteBuffer values_;
  ContextMembers event_context_;
  const wire::Json* sent_clock_ = nullptr;  // causality_vector, where it says no more than the clock in another order
  std::vector<causality::Component> components_as_sent_;
};

}  // namespace raceway::server::memory
