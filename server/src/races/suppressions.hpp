// Races that are known, and not to be told of again.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace raceway::server::races {

/// Lines of a file: a pattern of variables, one of places, and behind a '#' why. `*` and `?` stand for any text and any
/// character. A line matches a race of such a variable with such a place on either side.
class Suppressions {
 public:
  struct Line {
    std::size_t number = 0;  ///< in the file, from 1
    std::string variable;
    std::string place;
    std::string reason;
    bool matched = false;
  };

  Suppressions() = default;
  /// Throws std::runtime_error that names file and line.
  explicit Suppressions(const std::string& file);

  /// Whether some line matches; remembers which.
  bool match(std::string_view variable, std::string_view place1, std::string_view place2);
  const std::vector<Line>& lines() const { return lines_; }

 private:
  std::vector<Line> lines_;
};

}  // namespace raceway::server::races
