// The events of a body that cannot be kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace raceway::wire {

/// An event that cannot be kept, and why.
struct Rejection {
  std::uint32_t index = 0;
  std::string id;  ///< as far as it could be read, and max_id_length characters of it; may be empty
  std::string reason;
};

/// All of them counted, and the first of the body told: a body may hold an event for every two of its bytes, and a
/// rejection takes a hundred.
class Rejections {
 public:
  static constexpr std::size_t most_told = 1000;

  Rejections() = default;
  /// As another process tells them; `told` in the order of the body.
  Rejections(std::vector<Rejection>&& told, std::uint64_t count) : told_(std::move(told)), count_(count) {}

  /// In any order.
  void add(Rejection&& rejection);
  /// The same where would_tell() has said no.
  void add_untold() { ++count_; }
  /// Whether an event of that index would be told, as things stand.
  bool would_tell(std::uint32_t index) const;
  /// Puts those that are told in the order of the body; to be called behind the last add().
  void sort();

  bool empty() const { return count_ == 0; }
  std::uint64_t count() const { return count_; }
  std::uint64_t untold() const { return count_ - told_.size(); }
  std::span<const Rejection> told() const { return told_; }

 private:
  std::vector<Rejection> told_;
  bool is_sorted_ = true;  // else it is a heap, with the last of the body on top
  std::uint64_t count_ = 0;
};

}  // namespace raceway::wire
