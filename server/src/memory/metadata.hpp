// What a thread remembers of the metadata it has packed, so that the next one with the same keys costs less.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/event.hpp"
#include "wire/fields.hpp"

namespace raceway::server::memory {

/// Which members of a metadata are what, by their places.
struct MetadataPlan {
  static constexpr std::uint32_t no_member = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t most_in_context = wire::fields::context.size();

  std::uint64_t shape = 0;  ///< wire::Event::metadata_shape
  std::uint32_t members = 0;
  std::array<std::uint32_t, most_in_context> context{};  ///< what is the same throughout a request
  std::size_t context_count = 0;
  std::vector<std::uint32_t> own;  ///< all others
  std::uint32_t parent_id = no_member;
  std::uint32_t causality_vector = no_member;
};

/// Plans by the shapes of metadata, a bounded number of them. Not thread-safe.
class MetadataPlans {
 public:
  /// The plan for the event's metadata, until the next call.
  const MetadataPlan& plan_for(const wire::Event& event);

 private:
  std::array<MetadataPlan, 256> plans_;
  MetadataPlan unnamed_;  // of an event without metadata_shape
};

/// The dictionary's numbers of shapes, by what differs between events of one kind with the same keys: the types of
/// their values. A bounded number of them. Not thread-safe.
class ShapeNumbers {
 public:
  std::optional<std::uint32_t> find(std::uint64_t dictionary, std::uint64_t shape, std::string_view marks) const;
  void note(std::uint64_t dictionary, std::uint64_t shape, std::string_view marks, std::uint32_t number);

 private:
  struct Known {
    std::uint64_t dictionary = 0;  // its serial; 0: nothing is known
    std::uint64_t shape = 0;
    std::string marks;
    std::uint32_t number = 0;
  };
  static constexpr std::size_t places = 256;
  static constexpr std::size_t longest_marks = 256;
  static std::size_t place_of(std::uint64_t shape, std::string_view marks);

  std::array<Known, places> known_;
};

}  // namespace raceway::server::memory
