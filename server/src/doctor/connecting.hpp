// The way to the database: connection strings that mend it, and the encryption of it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/finding.hpp"

namespace raceway::server::doctor {

/// What a connection string says of a keyword; empty where it does not, or is none.
std::string parameter(const std::string& connection_string, std::string_view keyword);

/// The lines of raceway.toml for that connection string with `changes` to its keywords. Holds no secret: a password in
/// it becomes the word PASSWORD.
std::vector<std::string> connection_lines(const std::string& connection_string,
                                          const std::map<std::string, std::string>& changes);

/// What makes a connection possible, as far as its refusal tells.
std::vector<Mend> mend_of_refusal(const std::string& message, const std::string& connection_string);

}  // namespace raceway::server::doctor
