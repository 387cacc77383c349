#include "moving/http_client.hpp"

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <nlohmann/json.hpp>

namespace raceway::server::moving {
namespace {

/// A first byte may take as long as a database needs to sort; an answer of a server that is gone comes at once.
constexpr std::chrono::seconds answer_timeout{300};
constexpr std::chrono::seconds connect_timeout{10};
constexpr std::size_t longest_error = 65'536;

std::optional<std::chrono::seconds> retry_after(const httplib::Response& response) {
  const std::string text = response.get_header_value("Retry-After");
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 3600U));
}

/// The paths are encoded already. The function was renamed, and its first name is deprecated since.
template <class Client>
void take_paths_as_they_are(Client& client) {
  if constexpr (requires { client.set_path_encode(false); })
    client.set_path_encode(false);
  else
    client.set_url_encode(false);
}

/// The error's text out of its envelope; another answer's beginning as it is.
std::string error_text(int status, const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string()) return json["error"];
  return "the server answered " + std::to_string(status) + (body.empty() ? "" : ": " + body.substr(0, 200));
}

}  // namespace

class HttpClient::Impl {
 public:
  explicit Impl(const config::Endpoint& endpoint) : endpoint_(endpoint), client_(endpoint.origin) {
    if (!client_.is_valid()) throw ServerError("not the URL of a server: " + endpoint.origin);
    client_.set_keep_alive(true);
    client_.set_tcp_nodelay(true);
    take_paths_as_they_are(client_);
    client_.set_connection_timeout(connect_timeout);
    client_.set_read_timeout(answer_timeout);
    client_.set_write_timeout(answer_timeout);
    if (!endpoint.api_key.empty()) client_.set_default_headers({{"Authorization", "Bearer " + endpoint.api_key}});
  }

  std::string full_path(const std::string& path) const { return endpoint_.base_path + path; }

  /// The client's own errors say little; where to look is what helps.
  [[noreturn]] void fail(httplib::Error error) const {
    const bool unreached = error == httplib::Error::Connection || error == httplib::Error::ConnectionTimeout;
    throw ServerError(endpoint_.shown + (unreached ? " cannot be reached" : " broke off (" + to_string(error) + ")"));
  }

  httplib::Client& client() { return client_; }

 private:
  const config::Endpoint endpoint_;
  httplib::Client client_;
};

HttpClient::HttpClient(const config::Endpoint& endpoint) : impl_(std::make_unique<Impl>(endpoint)) {}
HttpClient::~HttpClient() = default;

ServerAnswer HttpClient::get(const std::string& path, const std::function<void(std::string_view)>& piece) {
  ServerAnswer answer;
  std::exception_ptr thrown;  // the library swallows what its callbacks throw
  const auto on_head = [&](const httplib::Response& response) {
    answer.status = response.status;
    answer.retry_after = retry_after(response);
    return true;
  };
  const auto on_piece = [&](const char* data, std::size_t size) {
    if (answer.status != 200) {
      answer.body.append(data, std::min(size, longest_error - std::min(longest_error, answer.body.size())));
      return true;
    }
    try {
      piece({data, size});
      return true;
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  };
  const auto result = impl_->client().Get(impl_->full_path(path), on_head, on_piece);
  if (thrown) std::rethrow_exception(thrown);
  if (!result) impl_->fail(result.error());
  if (answer.status != 200) answer.body = error_text(answer.status, answer.body);
  return answer;
}

ServerAnswer HttpClient::post(const std::string& path, std::string_view body) {
  const auto result = impl_->client().Post(impl_->full_path(path), body.data(), body.size(), "application/json");
  if (!result) impl_->fail(result.error());
  ServerAnswer answer{result->status, result->body, retry_after(*result)};
  if (answer.status != 200) answer.body = error_text(answer.status, answer.body);
  return answer;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (plain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return encoded;
}

}  // namespace raceway::server::moving
