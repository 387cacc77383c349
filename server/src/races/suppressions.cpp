#include "races/suppressions.hpp"

#include <fnmatch.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace raceway::server::races {

Suppressions::Suppressions(const std::string& file) {
  if (file.empty()) return;
  std::ifstream input(file);
  if (!input) throw std::runtime_error("cannot read the suppressions in " + file);
  std::string text;
  for (std::size_t number = 1; std::getline(input, text); ++number) {
    Line line;
    line.number = number;
    const auto comment = text.find('#');
    if (comment != std::string::npos) line.reason = text.substr(comment + 1);
    std::istringstream words(text.substr(0, comment));
    std::string more;
    if (!(words >> line.variable)) continue;
    if (!(words >> line.place) || (words >> more))
      throw std::runtime_error(file + ":" + std::to_string(number) +
                               ": a line is a pattern of variables, a pattern of places, and behind a # the reason");
    lines_.push_back(line);
  }
}

bool Suppressions::match(std::string_view variable, std::string_view place1, std::string_view place2) {
  const auto fits = [](const std::string& pattern, std::string_view text) {
    return fnmatch(pattern.c_str(), std::string(text).c_str(), 0) == 0;
  };
  bool any = false;
  for (Line& line : lines_) {
    if (!fits(line.variable, variable) || (!fits(line.place, place1) && !fits(line.place, place2))) continue;
    any = line.matched = true;
  }
  return any;
}

}  // namespace raceway::server::races
