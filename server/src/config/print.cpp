// The configuration on its way out: in force, and as an example.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <string>

#include "config/config.hpp"
#include "config/connection_string.hpp"
#include "config/keys.hpp"

namespace raceway::server::config {
namespace {

/// The value with its secrets masked.
Value shown(const Key& key, const Config& config) {
  Value value = key.get(config);
  if (!key.secret) return value;
  if (const auto* text = std::get_if<std::string>(&value)) return redact_connection_string(*text);
  auto& list = std::get<std::vector<std::string>>(value);
  std::fill(list.begin(), list.end(), mask);
  return value;
}

/// Text that cannot end the comment it stands in.
std::string comment(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

void print_meaning(std::ostream& out, const Key& key) {
  std::string text = key.effective ? std::string(key.meaning) : "Accepted for compatibility; has no effect.";
  if (key.type == Type::integer) text += fmt::format(" ({} to {})", key.min, key.max);
  if (key.type == Type::choice) text += fmt::format(" ({})", wanted(key));
  for (std::size_t line = text.find('\n'); line != std::string::npos; line = text.find('\n', line + 1)) {
    text.insert(line + 1, "# ");
  }
  out << "# " << text << '\n';
}

}  // namespace

void print_effective(std::ostream& out, const LoadedConfig& loaded) {
  out << "# The configuration in force, each value with its origin. Masked secrets are commented out.\n";
  for (const Section& section : sections()) {
    out << "\n[" << section.path << "]\n";
    for (const Key& key : keys()) {
      if (key.section() != section.path) continue;
      const auto origin = loaded.origin.find(key.path);
      const Value value = shown(key, loaded.config);
      const bool masked = value != key.get(loaded.config);
      out << (masked ? "# " : "") << key.name() << " = " << to_toml(value) << "  # "
          << (origin == loaded.origin.end() ? "default" : comment(origin->second)) << '\n';
    }
  }
}

void print_example(std::ostream& out) {
  out << "# Raceway: every key of the configuration, its meaning, its range and its default.\n"
         "#\n"
         "# Copy it to raceway.toml and keep the lines that you change. The server reads the file named by --config, "
         "else\n"
         "# by RACEWAY_CONFIG, else ./raceway.toml where there is one. Each key can also be set in the environment as\n"
         "# RACEWAY_SECTION_KEY, lists with commas: RACEWAY_SERVER_PORT=9000, "
         "RACEWAY_STORAGE_POSTGRES_MAX_CONNECTIONS=20.\n"
         "# The command line wins over the environment, the environment over the file, the file over the defaults.\n"
         "# `raceway config` shows what is in force and where it comes from; `raceway config --check` only checks "
         "it.\n";
  const Config defaults;
  for (const Section& section : sections()) {
    out << "\n# " << section.meaning << "\n[" << section.path << "]\n";
    for (const Key& key : keys()) {
      if (key.section() != section.path) continue;
      print_meaning(out, key);
      out << key.name() << " = " << to_toml(key.get(defaults)) << '\n';
    }
  }
}

}  // namespace raceway::server::config
