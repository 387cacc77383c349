#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "config/checks.hpp"
#include "config/config.hpp"
#include "config/keys.hpp"
#include "config/suggest.hpp"

// The compiled library, not the header-only build of it.
#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

namespace raceway::server::config {
namespace {

using Line = toml::source_index;

std::string unknown(std::string_view what, const std::string& suggestion) {
  return fmt::format("unknown {}", what) + (suggestion.empty() ? "" : fmt::format("; did you mean {}?", suggestion));
}

/// Reads one source after the other into a configuration and collects what is wrong with them.
class Loader {
 public:
  void read_file(const std::filesystem::path& file);
  void read_environment(const std::map<std::string, std::string>& environment);
  void apply(const Override& given);
  LoadedConfig finish();

 private:
  void read_table(const toml::table& table, const std::string& section);
  void read_entry(const std::string& path, const toml::node& node, Line line);
  void read_key(const Key& key, const toml::node& node, Line line);
  std::string suggestion(const std::string& section, std::string_view name) const;
  void set(const Key& key, const Value& value, const std::string& origin);
  void refuse_in_file(Line line, const std::string& problem) { in_file_.emplace_back(line, problem); }
  std::string at(Line line) const { return fmt::format("{}:{}", loaded_.file.string(), line); }

  LoadedConfig loaded_;
  std::vector<std::pair<Line, std::string>> in_file_;  // the parser sorts by name; people read by line
  std::vector<std::string> elsewhere_;
  bool file_unread_ = false;
  std::set<std::string, std::less<>> refused_;  // keys whose value was wrong: no cross check can tell more about them
};

std::string read_whole(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file)) throw ValueError("is a directory, not a file");
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  if (stream) text << stream.rdbuf();
  if (!stream) throw ValueError(fmt::format("cannot be read: {}", std::strerror(errno)));
  return text.str();
}

void Loader::read_file(const std::filesystem::path& file) {
  loaded_.file = file;
  try {
    read_table(toml::parse(read_whole(file), file.string()), "");
  } catch (const ValueError& error) {
    file_unread_ = true;
    elsewhere_.push_back(fmt::format("{}: {}", file.string(), error.what()));
  } catch (const toml::parse_error& error) {
    file_unread_ = true;
    // Behind ": '" the parser quotes a number that it cannot take, which may be a key without its quotes.
    const std::string_view description = error.description();
    refuse_in_file(error.source().begin.line,
                   fmt::format("not TOML: {}", description.substr(0, description.find(": '"))));
  }
}

void Loader::read_table(const toml::table& table, const std::string& section) {
  for (const auto& [name, node] : table) {
    const std::string path = section.empty() ? std::string(name.str()) : fmt::format("{}.{}", section, name.str());
    // A section has no position of its own where only its subsection is named.
    const Line line = std::max(name.source().begin.line, Line{1});
    if (find_key(path) == nullptr && !is_section(path)) {
      const std::string what = node.is_table() || node.is_array_of_tables() ? "section" : "key";
      refuse_in_file(line, fmt::format("{}: {}", path, unknown(what, suggestion(section, name.str()))));
    } else {
      read_entry(path, node, line);
    }
  }
}

void Loader::read_entry(const std::string& path, const toml::node& node, Line line) {
  if (const Key* key = find_key(path)) {
    read_key(*key, node, line);
  } else if (const toml::table* table = node.as_table()) {
    read_table(*table, path);
  } else {
    refuse_in_file(line, fmt::format("{}: is a section; write [{}], once", path, path));
  }
}

/// The value as the table of keys knows it; what is none of its types becomes nothing.
std::optional<Value> to_value(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* text = node.as_string()) return text->get();
  if (!node.is_array() || (!node.as_array()->empty() && !node.as_array()->is_homogeneous<std::string>())) return {};
  std::vector<std::string> items;
  for (const toml::node& item : *node.as_array()) items.push_back(item.as_string()->get());
  return items;
}

/// A value such as "${DB_PASSWORD}" would be taken as it stands: as a password, or as an API key that anyone can guess.
bool names_a_variable(const Value& value) {
  const auto has_reference = [](const std::string& text) { return text.find("${") != std::string::npos; };
  if (const auto* text = std::get_if<std::string>(&value)) return has_reference(*text);
  const auto* list = std::get_if<std::vector<std::string>>(&value);
  return list != nullptr && std::any_of(list->begin(), list->end(), has_reference);
}

void Loader::read_key(const Key& key, const toml::node& node, Line line) {
  try {
    std::optional<Value> value = to_value(node);
    if (!value) throw ValueError(fmt::format("must be {}", wanted(key)));
    const Value checked = check(key, *std::move(value));
    if (names_a_variable(checked)) {
      throw ValueError(fmt::format("${{...}} is not replaced in this file; set {} instead", key.variable()));
    }
    set(key, checked, at(line));
  } catch (const ValueError& error) {
    refused_.emplace(key.path);
    refuse_in_file(line, fmt::format("{}: {}", key.path, error.what()));
  }
}

/// What stands beside `name` in its section; else where the very same name is known.
std::string Loader::suggestion(const std::string& section, std::string_view name) const {
  std::vector<std::string> beside;
  for (const Key& key : keys()) {
    if (key.section() == section) beside.emplace_back(key.name());
    if (section.empty()) beside.emplace_back(key.section());
  }
  for (const Section& each : sections()) {
    if (!section.empty() && each.path.starts_with(section + "."))
      beside.emplace_back(each.path.substr(section.size() + 1));
  }
  if (const std::string near = closest(name, beside); !near.empty()) return in_quotes(near);
  const auto elsewhere = std::find_if(keys().begin(), keys().end(), [&](const Key& key) { return key.name() == name; });
  return elsewhere == keys().end() ? "" : fmt::format("{} in [{}]", in_quotes(name), elsewhere->section());
}

/// Whether a variable can only be meant for this program: the SDKs and clients have RACEWAY_ variables of their own.
bool is_ours(std::string_view variable) {
  return std::any_of(keys().begin(), keys().end(), [&](const Key& key) {
    return variable.starts_with(key.variable().substr(0, key.variable().size() - key.name().size()));
  });
}

void Loader::read_environment(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> known;
  for (const Key& key : keys()) known.push_back(key.variable());
  for (const auto& [variable, text] : environment) {
    if (!is_ours(variable)) continue;
    const auto found = std::find(known.begin(), known.end(), variable);
    if (found == known.end()) {
      elsewhere_.push_back(fmt::format("{}: {}", variable, unknown("variable", closest(variable, known))));
    } else {
      apply({std::string(keys()[static_cast<std::size_t>(found - known.begin())].path), text, variable});
    }
  }
}

void Loader::apply(const Override& given) {
  const Key* const key = find_key(given.key);
  if (key == nullptr) throw std::logic_error("no configuration key " + given.key);
  try {
    set(*key, check(*key, parse_text(*key, given.text)), given.option);
  } catch (const ValueError& error) {
    refused_.emplace(key->path);
    elsewhere_.push_back(fmt::format("{}: {}", given.option, error.what()));
  }
}

void Loader::set(const Key& key, const Value& value, const std::string& origin) {
  key.set(loaded_.config, value);
  loaded_.origin[std::string(key.path)] = origin;
}

LoadedConfig Loader::finish() {
  std::stable_sort(in_file_.begin(), in_file_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> problems;
  for (const auto& [line, problem] : in_file_) problems.push_back(fmt::format("{}: {}", at(line), problem));
  problems.insert(problems.end(), elsewhere_.begin(), elsewhere_.end());
  // Without the file most values are missing, and what they seem to contradict misleads.
  for (const Finding& finding : file_unread_ ? std::vector<Finding>() : cross_check(loaded_)) {
    const auto was_refused = [&](std::string_view key) { return refused_.contains(key); };
    if (std::none_of(finding.keys.begin(), finding.keys.end(), was_refused)) problems.push_back(finding.text);
  }
  if (!problems.empty()) throw ConfigError(std::move(problems));
  apply_aliases(loaded_);
  loaded_.warnings = find_warnings(loaded_);
  return std::move(loaded_);
}

std::optional<std::filesystem::path> file_to_read(const Sources& sources) {
  if (sources.file) return sources.file;
  const auto named = sources.environment.find("RACEWAY_CONFIG");
  if (named != sources.environment.end() && !named->second.empty()) return named->second;
  std::error_code ignored;
  if (std::filesystem::exists(sources.default_file, ignored)) return sources.default_file;
  return std::nullopt;
}

std::string lines(const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "\n") + problem;
  return text;
}

}  // namespace

ConfigError::ConfigError(std::vector<std::string> problems)
    : std::runtime_error(lines(problems)), problems_(std::move(problems)) {}

LoadedConfig load(const Sources& sources) {
  Loader loader;
  if (const auto file = file_to_read(sources)) loader.read_file(*file);
  loader.read_environment(sources.environment);
  for (const Override& given : sources.overrides) loader.apply(given);
  return loader.finish();
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace raceway::server::config
