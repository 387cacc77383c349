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

/// Text that stands on one line, and as one word: control characters, blanks and '%' as %XX. Injective.
std::string escaped_word(std::string_view text);
/// A host's name: as escaped_word, but blanks stay where they cannot be taken for the clock's beginning.
std::string escaped_host(std::string_view text);
/// Either, back.
std::string unescaped(std::string_view text);

}  // namespace raceway::server::moving
