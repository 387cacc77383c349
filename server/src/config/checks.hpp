// What no single key can tell: values that contradict each other, aliases, settings that do not do what they seem to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace raceway::server::config {

struct Finding {
  std::vector<std::string_view> keys;  ///< the keys it is about
  std::string text;                    ///< with its place; shows no secret
};

/// What contradicts itself, or has the right type and still cannot be right.
std::vector<Finding> cross_check(const LoadedConfig& loaded);

/// Lets server.verbose and development.cors_allow_all have their effect on the keys they stand for.
void apply_aliases(LoadedConfig& loaded);

std::vector<std::string> find_warnings(const LoadedConfig& loaded);

/// Where the value of a key was set and its name: "raceway.toml:12: server.port", "RACEWAY_SERVER_PORT", "--port", or
/// the name alone for a default.
std::string place(const LoadedConfig& loaded, std::string_view key);

}  // namespace raceway::server::config
