// UUIDs in the forms that clients send them in.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace raceway::wire {

/// A UUID given hyphenated, plain, in braces or as a urn, in any case, as lower case with hyphens; nothing where `text`
/// is no UUID.
std::optional<std::string> canonical_uuid(std::string_view text);

/// Whether `text` is a UUID and canonical already.
bool is_canonical_uuid(std::string_view text);

/// The bytes of a canonical UUID; nothing where `text` is anything else.
std::optional<std::array<char, 16>> read_canonical_uuid(std::string_view text);

}  // namespace raceway::wire
