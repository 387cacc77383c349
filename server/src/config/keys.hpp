// The one table of all configuration keys. Parsing, the environment, range checks, the example file and the printed
// configuration are all driven by it; the defaults themselves stand in Config.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"

namespace raceway::server::config {

enum class Type { flag, integer, text, choice, list };

/// A key's value on its way in or out; a choice travels as its name, a duration as its number.
using Value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

struct Key {
  std::string_view path;  ///< "storage.postgres.max_connections"
  std::string_view meaning;
  Type type;
  std::int64_t min;  ///< of an integer
  std::int64_t max;
  std::span<const std::string_view> choices;  ///< of a choice
  bool secret;                                ///< never shown
  bool effective;                             ///< false: accepted for compatibility only
  Value (*get)(const Config&);
  void (*set)(Config&, const Value&);  ///< takes what check() let pass

  std::string_view section() const;  ///< "storage.postgres"
  std::string_view name() const;     ///< "max_connections"
  std::string variable() const;      ///< "RACEWAY_STORAGE_POSTGRES_MAX_CONNECTIONS"
};

struct Section {
  std::string_view path;
  std::string_view meaning;
};

/// In the order of the example file; the keys of a section stand together.
std::span<const Key> keys();
std::span<const Section> sections();

const Key* find_key(std::string_view path);
bool is_section(std::string_view path);

/// Why a value is refused; without the name of its key, and without the value where that is secret.
class ValueError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the key wants, for messages and the example file: `a whole number from 0 to 65535`.
std::string wanted(const Key& key);

/// The value from a text of the environment or the command line; lists are separated by commas. Throws ValueError.
Value parse_text(const Key& key, std::string_view text);

/// Throws ValueError where the type or the range is wrong. Names of choices are brought to lower case.
Value check(const Key& key, Value value);

/// As TOML: strings quoted and escaped, lists in brackets.
std::string to_toml(const Value& value);

/// A TOML basic string.
std::string in_quotes(std::string_view text);

/// As it stands in raceway.toml.
std::string_view name_of(Backend backend);

}  // namespace raceway::server::config
