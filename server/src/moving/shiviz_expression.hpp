// A regular expression with named groups, over text that may go on.
#pragma once

#include "moving/shiviz_reader.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace raceway::server::moving {

class ShivizReader::Expression {
 public:
  enum class Outcome {
    match,
    none,
    may_grow,  ///< what is there ends in what more text may make a match of
    too_hard,  ///< given up: it takes too many steps
  };

  /// Throws std::runtime_error where `pattern` is none.
  explicit Expression(const std::string& pattern);

  bool has_group(std::string_view name) const;

  /// The first match in `text` from `from` on. Of may_grow only `begin` is set. Views refer to `text`.
  Outcome find(std::string_view text, std::size_t from, bool may_grow, Match& match) const;

 private:
  std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code_;
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data_;
  std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context_;
  std::vector<std::pair<std::string, std::uint32_t>> names_;
};

}  // namespace raceway::server::moving
