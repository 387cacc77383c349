// Small functions on the text of HTTP: case, blanks, percent-encoding. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace raceway::server::http {

/// Of ASCII letters only, whatever the locale.
bool equal_ignoring_case(std::string_view left, std::string_view right);

/// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view text);

/// Whether a comma-separated header value names `token`, in any case.
bool has_token(std::string_view list, std::string_view token);

/// Nothing where a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank);

/// A request target taken apart; the path is still encoded.
struct Target {
  std::string_view path;
  std::string_view query;  ///< after the '?'
};

/// Of "/path?query" and "http://host/path?query". Path is "*" as sent for OPTIONS. The views are into `target`.
Target split_target(std::string_view target);

/// "a=1&b" in order; a name without '=' has an empty value. Nothing where the encoding is broken.
std::optional<Fields> parse_query(std::string_view query);

/// The last field with that name, header-like or exactly.
std::optional<std::string_view> find_header(const Fields& fields, std::string_view name);
std::optional<std::string_view> find_exactly(const Fields& fields, std::string_view name);

}  // namespace raceway::server::http
