#include "terminal/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace raceway::server::terminal {
namespace {

constexpr std::size_t least_width = 40;
constexpr std::size_t usual_width = 80;

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::size_t width_of(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const auto columns = std::strtoul(std::string(variable("COLUMNS")).c_str(), nullptr, 10);
  return columns > 0 ? columns : usual_width;
}

/// Characters, not bytes.
std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

Style style_of(int descriptor) {
  const bool colours = isatty(descriptor) == 1 && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  return {colours, std::max(least_width, width_of(descriptor))};
}

std::string painted(const Style& style, Colour colour, std::string_view text) {
  constexpr std::array<std::string_view, 5> codes = {"32", "33", "31", "2", "1"};
  if (!style.colours) return std::string(text);
  return "\x1b[" + std::string(codes[static_cast<std::size_t>(colour)]) + "m" + std::string(text) + "\x1b[0m";
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string lines;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto size = columns_of(word);
    if (column > indent && column + 1 + size > width) {
      lines += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += size;
  }
  return lines;
}

}  // namespace raceway::server::terminal
