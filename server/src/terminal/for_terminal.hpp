// Text that came from elsewhere (a server, a database, a file) on its way to a terminal or a log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace raceway::server::terminal {

/// The first character of a text that is not empty.
struct Character {
  std::size_t size = 1;   ///< in bytes
  char32_t code = 0;      ///< of what is well-formed
  bool is_valid = false;  ///< else `size` is 1, and the byte is part of no UTF-8 character

  /// Whether it does something else than being seen: it is a control character (C0, C1, DEL), turns the direction of
  /// writing, has no width, separates lines or paragraphs, or is none.
  bool acts() const;
};

Character first_character(std::string_view text);

/// A character as JSON escapes it, `\u001b`; U+FFFD for what is none.
std::string json_escape(const Character& character);

/// The text with all that acts made visible: ESC is `\x1b`, U+202E is `\u202e`, a stray byte is `\xff`. Ends of lines
/// and tabs stay, for they are layout.
std::string for_terminal(std::string_view text);

/// Likewise, ends of lines and tabs, too: what comes from elsewhere cannot begin a line that looks like ours.
std::string line_for_terminal(std::string_view text);

/// The same for JSON, by JSON's own escapes: it means what it meant.
std::string json_for_terminal(std::string_view json);

}  // namespace raceway::server::terminal
