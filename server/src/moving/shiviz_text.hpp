// How this program's own ShiViz logs look.
#pragma once

#include <string>
#include <string_view>

namespace raceway::server::moving {

/// The first two lines of a log that `export` writes: expressions of JavaScript's kind for an event and for the line
/// that begins a trace.
inline constexpr std::string_view own_parser =
    R"((?<date>\S+) (?<kind>\S+) (?<id>\S+) (?<event>.*)\n(?<host>.*?) (?<clock>\{.*\}))";
inline constexpr std::string_view own_delimiter = R"(^=== (?<trace>.*) ===$)";

// Text that survives the expressions, in JavaScript, too, where "." and "\S" know blanks and ends of lines beyond
// ASCII. Escaped are control characters, '%' and what a function names, byte by byte as %XX. Injective, and back by
// unescaped().

/// As one word: without blanks of any kind.
std::string escaped_word(std::string_view text);
/// A trace's name: a word that in ShiViz does not mean a property that every JavaScript object has.
std::string escaped_label(std::string_view text);
/// A host's name: likewise, but blanks stay where they cannot be taken for the clock's beginning.
std::string escaped_host(std::string_view text);
std::string unescaped(std::string_view text);

/// Text on one line, other kinds of ends of lines and control characters as blanks. Not injective.
std::string flattened(std::string_view text);

}  // namespace raceway::server::moving
