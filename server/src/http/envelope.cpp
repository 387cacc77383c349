#include "http/envelope.hpp"

#include <nlohmann/json.hpp>

namespace raceway::server::http {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string success_body(std::string_view data) {
  std::string body = R"({"success":true,"data":)";
  body += data;
  body += R"(,"error":null})";
  return body;
}

std::string error_body(std::string_view message) {
  return R"({"success":false,"data":null,"error":)" + json_string(message) + "}";
}

Response success(std::string_view data, int status) {
  Response response;
  response.status = status;
  response.body = success_body(data);
  return response;
}

Response failure(int status, std::string_view message, std::chrono::seconds retry_after) {
  Response response;
  response.status = status;
  response.body = error_body(message);
  response.error = message;
  if (retry_after.count() > 0) response.headers.emplace_back("Retry-After", std::to_string(retry_after.count()));
  return response;
}

}  // namespace raceway::server::http
