// A configuration file that lives as long as its test, and shorthands to load it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace raceway::server::config {

/// A directory of its own for each test, removed at the end.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "raceway-config-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
  }
  ~ConfigTest() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path write(const std::string& text, const std::string& name = "raceway.toml") const {
    std::ofstream(directory_ / name) << text;
    return directory_ / name;
  }

  LoadedConfig load_text(const std::string& text, std::map<std::string, std::string> environment = {}) const {
    return load({.file = write(text), .environment = std::move(environment), .overrides = {}});
  }

  LoadedConfig load_environment(std::map<std::string, std::string> environment) const {
    return load(
        {.file = {}, .environment = std::move(environment), .overrides = {}, .default_file = directory_ / "none"});
  }

  /// The problems, with the directory cut from the name of the file; empty where it loads.
  std::vector<std::string> problems(const Sources& sources) const {
    try {
      load(sources);
      return {};
    } catch (const ConfigError& error) {
      std::vector<std::string> result = error.problems();
      for (std::string& problem : result) {
        const std::string prefix = directory_.string() + "/";
        for (auto at = problem.find(prefix); at != std::string::npos; at = problem.find(prefix)) {
          problem.erase(at, prefix.size());
        }
      }
      return result;
    }
  }

  std::vector<std::string> problems_of(const std::string& text,
                                       std::map<std::string, std::string> environment = {}) const {
    return problems({.file = write(text), .environment = std::move(environment), .overrides = {}});
  }

  std::filesystem::path directory_;
};

}  // namespace raceway::server::config
