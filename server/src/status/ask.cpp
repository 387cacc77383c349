#include "status/ask.hpp"

#include <httplib.h>

#include <nlohmann/json.hpp>

#include "config/endpoint.hpp"

namespace raceway::server::status {
namespace {

constexpr std::chrono::seconds connect_timeout{3};
constexpr std::chrono::seconds answer_timeout{15};  // a database may count for a while
constexpr std::chrono::seconds sign_of_life{2};

[[noreturn]] void refused(const std::string& shown, int status, const std::string& body) {
  if (status == 401 || status == 403) throw NoAnswer(shown + " asks for an API key: --api-key, or RACEWAY_API_KEY");
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const bool ours = json.is_object() && json.contains("error") && json["error"].is_string();
  if (!ours) throw NoAnswer(shown + " is no Raceway server: it answered " + std::to_string(status));
  throw NoAnswer(shown + " answered " + std::to_string(status) + ": " + json["error"].get<std::string>());
}

}  // namespace

Where own_origin(const config::Config& config) {
  return find_server("", "", config);
}

Where find_server(const std::string& url, const std::string& api_key, const config::Config& config) {
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://")) {
    return find_server("http://" + url, api_key, config);
  }
  config::Config as_server = config;  // where events are kept does not matter, it is the server that is asked
  as_server.storage.backend = config::Backend::memory;
  const auto endpoint = config::find_endpoint(url, api_key, as_server);
  return {endpoint.origin, endpoint.base_path, endpoint.api_key};
}

namespace {

std::string body_of(const Where& server, const std::string& path, std::chrono::seconds timeout) {
  const std::string shown = server.origin + server.base_path;
  httplib::Client client(server.origin);
  if (!client.is_valid()) throw NoAnswer("not the URL of a server: " + server.origin);
  client.set_connection_timeout(connect_timeout);
  client.set_read_timeout(timeout);
  if (!server.api_key.empty()) client.set_default_headers({{"Authorization", "Bearer " + server.api_key}});
  const auto answer = client.Get(server.base_path + path);
  if (!answer) {
    const bool unreached =
        answer.error() == httplib::Error::Connection || answer.error() == httplib::Error::ConnectionTimeout;
    throw NoAnswer(unreached ? "nothing answers at " + shown + "; is the server running? (raceway serve)"
                             : shown + " does not answer as a Raceway server does (" + to_string(answer.error()) + ")");
  }
  if (answer->status != 200) refused(shown, answer->status, answer->body);
  return answer->body;
}

std::string ask_within(const Where& server, const std::string& path, std::chrono::seconds timeout) {
  const auto json = nlohmann::ordered_json::parse(body_of(server, path, timeout), nullptr, false);
  if (!json.is_object() || !json.contains("success") || !json.contains("data")) {
    throw NoAnswer(server.origin + server.base_path + " is no Raceway server: its " + path + " is something else");
  }
  return json["data"].dump();
}

}  // namespace

std::string ask(const Where& server, const std::string& path) {
  return ask_within(server, path, answer_timeout);
}

std::string metrics_text(const Where& server) {
  try {
    return body_of(server, "/metrics", answer_timeout);
  } catch (const NoAnswer&) {  // an older server
    return "";
  }
}

bool is_raceway(const Where& server) {
  try {
    ask_within(server, "/health", sign_of_life);
    return true;
  } catch (const NoAnswer&) {
    return false;
  }
}

}  // namespace raceway::server::status
