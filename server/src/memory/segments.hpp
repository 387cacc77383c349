// Where the records of a shard stand: in segments of one size, filled from front to back.
//
// The general heap would keep holes between what stays, as old traces go and others grow. Here blocks are moved
// together instead: who owns a block knows it by a number, so it may be moved.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace raceway::server::memory {

/// Empty segments, for whichever shard needs one next. Thread-safe.
class SegmentPool {
 public:
  static constexpr std::size_t segment_size = 32'768 - 16;  ///< with what malloc adds, 32 KiB

  using Bytes = std::unique_ptr<char[]>;

  /// Throws std::bad_alloc.
  Bytes take();
  /// Keeps a few, so that they need not be asked for again; the others go.
  void give(Bytes segment) noexcept;
  /// What is kept takes of the heap. Takes no lock.
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::vector<Bytes> kept_;
  std::size_t in_use_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
};

/// Blocks of bytes that grow, each with the number of its owner. Not thread-safe.
class Segments {
 public:
  /// Where a block is.
  struct Place {
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    std::uint32_t segment = none;  ///< none: there is no block
    std::uint32_t offset = 0;
  };

  Segments() = default;
  ~Segments();
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;

  /// The pool must outlive it. To be called before anything else.
  void use(SegmentPool& pool) { pool_ = &pool; }

  /// Appends to the owner's block, or makes one; `place` is where it is now. Where it must be moved it gets `room`
  /// bytes, or as many as it needs. Throws std::bad_alloc or std::length_error, and then nothing has changed.
  void append(Place& place, std::uint32_t owner, std::string_view bytes, std::size_t room);
  void drop(Place place) noexcept;
  /// A block's bytes, until the next append(), drop() or tidy(); none where there is no block.
  std::string_view bytes(Place place) const;

  /// Where too much is lost between blocks, moves those of one segment, and calls `moved(owner, place)` for each.
  template <class Moved>
  void tidy(Moved moved) noexcept {
    const std::uint32_t victim = worth_tidying();
    if (victim == Place::none) return;
    try {
      for (std::uint32_t at = 0; at < segments_[victim].used; at = behind({victim, at})) {
        const Place from{victim, at};
        const Head head = head_of(from);
        if (head.owner == dead) continue;
        moved(head.owner, put(head.owner, bytes(from), head.size));
        kill(from);
      }
      close_empty(victim);
    } catch (const std::exception&) {
      return;  // what was moved is moved, and the rest stays
    }
  }

  /// What all of it takes of the heap.
  std::size_t heap_bytes() const { return heap_bytes_; }

 private:
  struct Segment {
    SegmentPool::Bytes bytes;
    std::uint32_t size = 0;
    std::uint32_t used = 0;
    std::uint32_t live = 0;  // of blocks that were not dropped; without what they have room for
  };
  struct Head {
    std::uint32_t owner;
    std::uint32_t size;
    std::uint32_t room;
  };
  static constexpr std::uint32_t dead = Place::none;  // an owner

  Head head_of(Place place) const;
  void set_head(Place place, const Head& head);
  std::uint32_t behind(Place place) const;
  Place put(std::uint32_t owner, std::string_view bytes, std::size_t room);
  std::uint32_t segment_for(std::size_t bytes);
  std::uint32_t add_segment(SegmentPool::Bytes bytes, std::size_t size);
  void kill(Place place) noexcept;
  void close_empty(std::uint32_t number) noexcept;
  std::uint32_t worth_tidying() const;

  SegmentPool* pool_ = nullptr;
  std::vector<Segment> segments_;
  std::uint32_t open_ = Place::none;  // the one that is being filled
  std::uint32_t free_ = Place::none;  // the first unused number of a segment; `used` leads to the next
  std::size_t heap_bytes_ = 0;
  std::size_t size_ = 0;  // of all segments
  std::size_t live_ = 0;
};

}  // namespace raceway::server::memory
