#include "http/early_answer.hpp"

#include "http/envelope.hpp"

namespace raceway::server::http {
namespace {

const char* reason_phrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 408:
      return "Request Timeout";
    case 413:
      return "Payload Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "HTTP Version Not Supported";
  }
}

}  // namespace

std::string early_answer(int status, std::string_view reason, std::string_view request_id) {
  const auto body = error_body(reason);
  std::string answer =
      "HTTP/1.1 " + std::to_string(status) + " " + reason_phrase(status) +
      "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\nX-Request-Id: " + std::string(request_id) + "\r\n";
  if (status == 503 || status == 429) answer += "Retry-After: 1\r\n";
  return answer + "\r\n" + body;
}

}  // namespace raceway::server::http
