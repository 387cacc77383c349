// Text for people: colours where a terminal shows them, lines no longer than it is wide.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace raceway::server::terminal {

struct Style {
  bool colours = false;
  std::size_t width = 80;
};

/// For a file descriptor: colours on a terminal that has them, unless NO_COLOR is set; its width, else COLUMNS, else
/// 80; never less than 40.
Style style_of(int descriptor);

enum class Colour { green, yellow, red, faint, bold };

std::string painted(const Style& style, Colour colour, std::string_view text);

/// `text` in lines of at most `width` columns, broken at spaces; all but the first begin with `indent` spaces, for
/// which the first one has room, too. A word that is longer stays whole. Without a newline at the end.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace raceway::server::terminal
