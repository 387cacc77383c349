#include "config/connection_string.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace raceway::server::config {
namespace {

constexpr std::array<std::string_view, 2> secret_options{"password", "sslpassword"};

bool is_secret(std::string_view option) {
  for (const std::string_view secret : secret_options) {
    if (option == secret) return true;
  }
  return false;
}

/// The options that libpq reads in a connection string, or nothing where it refuses it.
std::optional<std::map<std::string, std::string>> parse(const std::string& text) {
  const auto options = parse_connection_string(text);
  if (!options) return std::nullopt;
  std::map<std::string, std::string> values;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) values.emplace(option->keyword, option->val);
  }
  return values;
}

bool is_uri(std::string_view text) {
  return text.starts_with("postgresql://") || text.starts_with("postgres://");
}

/// What follows `name` and an '=' in the query of a URI; a name written with escapes is not found, and masked as a
/// whole by the caller's check.
void mask_query(std::string& uri, std::size_t query) {
  for (std::size_t start = query; start < uri.size();) {
    const std::size_t end = std::min(uri.find('&', start), uri.size());
    const std::size_t equals = uri.find('=', start);
    if (equals < end && is_secret(std::string_view(uri).substr(start, equals - start))) {
      uri.replace(equals + 1, end - equals - 1, mask);
    }
    start = std::min(uri.find('&', start), uri.size()) + 1;
  }
}

/// Masks from the first ':' after the scheme to the last '@' before the query, however many stand between.
std::string mask_uri(std::string uri) {
  const std::size_t question = uri.find('?');
  if (question != std::string::npos) mask_query(uri, question + 1);
  const std::size_t authority = uri.find("://") + 3;
  const std::size_t at = uri.rfind('@', question);
  const std::size_t colon = uri.find(':', authority);
  const bool has_password = at != std::string::npos && colon < at && at - colon > 1;
  if (has_password) uri.replace(colon + 1, at - colon - 1, mask);
  return uri;
}

/// Just behind a value of key=value that begins at `start`: quoted, with escapes, or up to a blank.
std::size_t end_of_value(std::string_view text, std::size_t start) {
  const bool quoted = start < text.size() && text[start] == '\'';
  for (std::size_t i = quoted ? start + 1 : start; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (quoted && text[i] == '\'')
      return i + 1;
    else if (!quoted && std::string_view(" \t\n\r\f\v").find(text[i]) != std::string_view::npos)
      return i;
  }
  return text.size();
}

std::string mask_pairs(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r\f\v";
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t equals = text.find('=', at);
    if (equals == std::string_view::npos) return result.append(text.substr(at));
    const std::size_t value = std::min(text.find_first_not_of(blanks, equals + 1), text.size());
    const std::size_t end = end_of_value(text, value);
    std::string_view name = text.substr(at, equals - at);
    name.remove_prefix(std::min(name.find_first_not_of(blanks), name.size()));
    name = name.substr(0, name.find_last_not_of(blanks) + 1);
    result.append(text.substr(at, value - at));
    result.append(is_secret(name) ? mask : text.substr(value, end - value));
    at = end;
  }
  return result;
}

/// The string with its passwords masked, or nothing where they cannot be told from the rest. The proof is libpq's own
/// reading: it has to find the same options in the masked string, the passwords excepted.
std::optional<std::string> mask_passwords(const std::string& text) {
  const auto before = parse(text);
  if (!before) return std::nullopt;
  std::string masked = is_uri(text) ? mask_uri(text) : mask_pairs(text);
  auto expected = *before;
  for (auto& [option, value] : expected) {
    if (is_secret(option)) value = mask;
  }
  if (parse(masked) != expected) return std::nullopt;
  return masked;
}

}  // namespace

ConnectionOptions parse_connection_string(const std::string& connection_string) {
  return {PQconninfoParse(connection_string.c_str(), nullptr), PQconninfoFree};
}

std::string option_value(const ConnectionOptions& options, std::string_view keyword) {
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (keyword == option->keyword && option->val != nullptr) return option->val;
  }
  return "";
}

std::string redact_connection_string(std::string_view connection_string) {
  if (connection_string.empty()) return {};
  return mask_passwords(std::string(connection_string)).value_or(std::string(mask));
}

bool is_connection_string(std::string_view text) {
  return mask_passwords(std::string(text)).has_value();
}

}  // namespace raceway::server::config
