// UUIDs that follow from a name: the same for whoever knows it, before what bears it has come.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace raceway::wire {

/// The longest name that uuid_of_name() takes, in bytes.
inline constexpr std::size_t longest_uuid_name = 39;

/// The UUID of version 5 (RFC 9562, 5.5: SHA-1 of `space` and `name`), as lower case with hyphens.
/// `name` has longest_uuid_name bytes at most: with its space it is one block of the hash.
std::array<char, 36> uuid_of_name(const std::array<unsigned char, 16>& space, std::string_view name);

/// The bytes of a UUID as lower case with hyphens.
std::array<char, 36> uuid_text(const std::array<unsigned char, 16>& bytes);

}  // namespace raceway::wire
