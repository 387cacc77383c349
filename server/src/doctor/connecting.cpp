#include "doctor/connecting.hpp"

#include "config/connection_string.hpp"
#include "config/keys.hpp"
#include "doctor/examination.hpp"

namespace raceway::server::doctor {
namespace {

/// A value as a connection string wants it.
std::string quoted(const std::string& value) {
  if (!value.empty() && value.find_first_of(" '\\") == std::string::npos) return value;
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

bool is_this_machine(const std::string& host) {
  return host.empty() || host.starts_with('/') || host.starts_with('@') || host.starts_with("127.") || host == "::1" ||
         host == "localhost";
}

std::vector<Mend> mend_of_silence(const std::string& connection_string) {
  const auto host = parameter(connection_string, "host");
  const auto address = parameter(connection_string, "hostaddr");
  const auto port = parameter(connection_string, "port");
  const std::string where = address.empty() ? host : address;
  std::string ask = "pg_isready";
  if (!where.empty()) ask += " -h " + in_shell(where);
  if (!port.empty()) ask += " -p " + in_shell(port);
  const std::string or_correct = "or correct [storage.postgres] connection_string";
  if (!is_this_machine(where)) return {{Place::shell, "", {ask}, "start PostgreSQL there, " + or_correct}};
  return {{Place::shell, "", {"systemctl start postgresql"}, ""}, {Place::shell, "", {ask}, or_correct}};
}

}  // namespace

std::string parameter(const std::string& connection_string, std::string_view keyword) {
  return config::option_value(config::parse_connection_string(connection_string), keyword);
}

std::vector<std::string> connection_lines(const std::string& connection_string,
                                          const std::map<std::string, std::string>& changes) {
  std::string text;
  const auto add = [&](const std::string& keyword, const std::string& value) {
    text += (text.empty() ? "" : " ") + keyword + "=" + quoted(value);
  };
  const auto options = config::parse_connection_string(connection_string);
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val == nullptr || changes.contains(option->keyword)) continue;
    const bool secret = std::string_view(option->dispchar).starts_with('*');
    add(option->keyword, secret ? "PASSWORD" : option->val);
  }
  for (const auto& [keyword, value] : changes) add(keyword, value);
  return {"[storage.postgres]", "connection_string = " + config::in_quotes(text)};
}

std::vector<Mend> mend_of_refusal(const std::string& message, const std::string& connection_string) {
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  const auto role = sql_name(parameter(connection_string, "user"));
  if (says("role \"") && says("does not exist")) {
    return {{Place::sql, "superuser", {"CREATE ROLE " + role + " LOGIN;"}, ""}};
  }
  if (says("database \"") && says("does not exist")) {
    return {{Place::sql,
             "superuser",
             {"CREATE DATABASE " + sql_name(parameter(connection_string, "dbname")) + " OWNER " + role +
              " ENCODING 'UTF8' TEMPLATE template0;"},
             ""}};
  }
  if (says("is not permitted to log in")) {
    return {{Place::sql, "superuser", {"ALTER ROLE " + role + " LOGIN;"}, ""}};
  }
  if (says("password")) {
    return {{Place::config, "", connection_lines(connection_string, {{"password", "PASSWORD"}}),
             "with the right password for PASSWORD, or set RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING"}};
  }
  return mend_of_silence(connection_string);
}

}  // namespace raceway::server::doctor
