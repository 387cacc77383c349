// The accesses of one variable as they come along the linear order, and how many of those before each races with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "causality/happened_before.hpp"
#include "causality/races.hpp"

namespace raceway::causality {

/// What two accesses have in common that count as one group.
struct AccessGroup {
  Access access = Access::no_access;
  bool unknown = false;  ///< nothing is known of its order
  std::uint32_t locks = 0;
  std::uint32_t site = 0;

  auto operator<=>(const AccessGroup&) const = default;
};

/// Used by find_races() alone; see there.
class RaceCounter {
 public:
  /// An access before the one that was added last: racing with it or not.
  struct Access {
    std::uint32_t position;
    std::uint32_t group;
  };

  /// Of each group, by number, how many accesses before this one race with it, whether they conflict or not. To be
  /// called for each access in the order; there until the next call.
  std::span<const std::uint32_t> add(const Step& step, const AccessGroup& group);

  std::uint32_t last_group() const { return last_group_; }
  const AccessGroup& group(std::uint32_t number) const { return groups_[number]; }
  std::size_t bytes() const { return bytes_; }

  /// Calls `visit(line, access)` for those before the last one that it has not heard of, line by line and in each in
  /// the order; `visit` answers false to go on with the next line.
  template <class Visit>
  void each_racing(const Step& step, Visit visit) const {
    for (const Line& line : lines_) {
      if (line.number == step.spot.line) continue;
      for (std::size_t i = known(line, step.heard_of(line.number)); i < line.accesses.size(); ++i) {
        if (!visit(line.number, line.accesses[i])) break;
      }
    }
  }

 private:
  /// What a line has heard of the others' accesses, once there is something to remember.
  struct Knowledge {
    std::vector<std::uint32_t> own;                                  // by group
    std::vector<std::uint32_t> heard;                                // by group, of other lines
    std::vector<std::pair<std::uint32_t, std::uint32_t>> upto = {};  // by line: so many of its accesses
    std::uint32_t version = 0;
    std::vector<std::vector<std::uint32_t>> snapshots = {};  // `own` behind each so many accesses
  };
  struct Line {
    std::uint32_t number;
    std::vector<Access> accesses = {};
    std::unique_ptr<Knowledge> knowledge = {};
  };

  static std::size_t known(const Line& line, std::uint32_t position);
  std::uint32_t group_number(const AccessGroup& group);
  std::uint32_t line_slot(std::uint32_t line);
  void learn(Knowledge& knowledge, const Step& step);
  std::uint32_t& at(std::vector<std::uint32_t>& counts, std::uint32_t group);
  void add_range(std::vector<std::uint32_t>& to, const Line& line, std::size_t from, std::size_t end);

  std::vector<AccessGroup> groups_;
  std::map<AccessGroup, std::uint32_t> group_numbers_;
  std::vector<std::uint32_t> totals_;                             // by group
  std::vector<Line> lines_;                                       // in the order of their first access
  std::vector<std::pair<std::uint32_t, std::uint32_t>> by_line_;  // (line, slot), sorted
  std::vector<std::uint32_t> racing_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> upto_;
  std::uint32_t last_group_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace raceway::causality
