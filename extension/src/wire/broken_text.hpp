// Where a text breaks that was found not to be JSON as a whole. Slow: for the message of an error.
#pragma once

#include <cstddef>
#include <string_view>

namespace raceway::wire {

/// The byte where valid UTF-8 ends; the text's size where it is valid.
std::size_t invalid_utf8_at(std::string_view text);

/// The first bare control character in a string of JSON text; the text's size where there is none.
std::size_t bare_control_at(std::string_view text);

/// Where the string begins that is not closed; the text's size where all are.
std::size_t open_string_at(std::string_view text);

}  // namespace raceway::wire
