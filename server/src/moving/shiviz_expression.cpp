#include "moving/shiviz_expression.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace raceway::server::moving {
namespace {

/// Steps for one event; an expression that needs more goes back and forth.
constexpr std::uint32_t most_steps = 1'000'000;

PCRE2_SPTR bytes_of(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

pcre2_code* compile(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE place = 0;
  // Not compiled to machine code: PCRE2 10.42 then fails on text beyond ASCII where it may also be no UTF-8.
  // As JavaScript with the flags "gm": \uHHHH, and a reference to a group that took no part matches nothing.
  const std::uint32_t options =
      PCRE2_MULTILINE | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF;
  pcre2_code* const code = pcre2_compile(bytes_of(pattern), pattern.size(), options, &error, &place, nullptr);
  if (code != nullptr) return code;
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  throw std::runtime_error("the log's regular expression is none, at its character " + std::to_string(place) + ": " +
                           reinterpret_cast<const char*>(text.data()));
}

}  // namespace

ShivizReader::Expression::Expression(const std::string& pattern)
    : code_(compile(pattern), pcre2_code_free),
      data_(pcre2_match_data_create_from_pattern(code_.get(), nullptr), pcre2_match_data_free),
      context_(pcre2_match_context_create(nullptr), pcre2_match_context_free) {
  pcre2_set_match_limit(context_.get(), most_steps);
  std::uint32_t count = 0;
  std::uint32_t size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMEENTRYSIZE, &size);
  pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMETABLE, static_cast<void*>(&table));
  for (std::uint32_t at = 0; at < count; ++at, table += size) {
    const std::uint32_t group = (std::uint32_t{table[0]} << 8U) | table[1];
    names_.emplace_back(reinterpret_cast<const char*>(table + 2), group);
  }
}

bool ShivizReader::Expression::has_group(std::string_view name) const {
  return std::any_of(names_.begin(), names_.end(), [&](const auto& group) { return group.first == name; });
}

ShivizReader::Expression::Outcome ShivizReader::Expression::find(std::string_view text, std::size_t from, bool may_grow,
                                                                 Match& match) const {
  const int result = pcre2_match(code_.get(), bytes_of(text), text.size(), from,
                                 may_grow ? PCRE2_PARTIAL_HARD : std::uint32_t{0}, data_.get(), context_.get());
  if (result == PCRE2_ERROR_NOMATCH) return Outcome::none;
  if (result < 0 && result != PCRE2_ERROR_PARTIAL) return Outcome::too_hard;
  const PCRE2_SIZE* const places = pcre2_get_ovector_pointer(data_.get());
  match.begin = places[0];
  match.end = places[1];
  match.groups.clear();
  if (result == PCRE2_ERROR_PARTIAL) return Outcome::may_grow;
  for (const auto& [name, group] : names_) {
    if (places[2 * group] == PCRE2_UNSET) continue;
    match.groups.emplace_back(name, text.substr(places[2 * group], places[2 * group + 1] - places[2 * group]));
  }
  return Outcome::match;
}

}  // namespace raceway::server::moving
