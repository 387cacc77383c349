#include "wire/uuid.hpp"

#include <algorithm>

namespace raceway::wire {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr std::size_t hyphenated_uuid_length = 36;
bool is_hyphen_place(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

bool is_hyphenated_uuid(std::string_view text) {
  if (text.size() != hyphenated_uuid_length) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_hyphen_place(at) ? text[at] != '-' : !is_hex(text[at])) return false;
  }
  return true;
}

/// The 32 hex digits or 36 characters that stand inside braces or behind "urn:uuid:".
std::string_view bare_uuid(std::string_view text) {
  constexpr std::string_view urn = "urn:uuid:";
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') return text.substr(1, text.size() - 2);
  if (text.starts_with(urn)) return text.substr(urn.size());
  return text;
}

}  // namespace

std::optional<std::string> canonical_uuid(std::string_view text) {
  const auto bare = bare_uuid(text);
  const bool plain = bare.size() == 32 && std::all_of(bare.begin(), bare.end(), is_hex);
  if (!plain && !is_hyphenated_uuid(bare)) return std::nullopt;
  std::string canonical;
  for (const char c : bare) {
    if (is_hyphen_place(canonical.size()) && c != '-') canonical += '-';
    canonical += lower(c);
  }
  return canonical;
}

}  // namespace raceway::wire
