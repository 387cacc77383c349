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

/// Whether each of 16 characters is a lower-case hex digit, or a hyphen where `places` has one. One width and no
/// branches, so that the compiler does all 16 at once.
bool is_canonical(const char* text, const char* places) {
  unsigned char bad = 0;
  for (std::size_t at = 0; at < 16; ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    const bool digit = static_cast<unsigned char>(c - '0') <= 9;
    const bool letter = static_cast<unsigned char>(c - 'a') <= 5;
    const bool hyphen = c == '-';
    const bool hyphen_place = places[at] == '-';
    bad = static_cast<unsigned char>(bad | (hyphen_place ? !hyphen : !(digit || letter)));
  }
  return bad == 0;
}

/// The 32 hex digits or 36 characters that stand inside braces or behind "urn:uuid:".
std::string_view bare_uuid(std::string_view text) {
  constexpr std::string_view urn = "urn:uuid:";
  const auto same = [](char a, char b) { return lower(a) == b; };
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') return text.substr(1, text.size() - 2);
  const auto prefix = text.substr(0, urn.size());
  if (std::equal(prefix.begin(), prefix.end(), urn.begin(), urn.end(), same)) return text.substr(urn.size());
  return text;
}

}  // namespace

bool is_canonical_uuid(std::string_view text) {
  constexpr std::string_view places = "00000000-0000-0000-0000-000000000000";
  if (text.size() != hyphenated_uuid_length) return false;
  constexpr std::size_t last = hyphenated_uuid_length - 16;
  return is_canonical(text.data(), places.data()) && is_canonical(text.data() + 16, places.data() + 16) &&
         is_canonical(text.data() + last, places.data() + last);
}

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
