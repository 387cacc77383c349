// The form of every answer: {"success":bool,"data":..,"error":..}.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace raceway::server::http {

/// `text` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

/// {"success":true,"data":DATA,"error":null}; `data` is JSON already.
std::string success_body(std::string_view data);

/// {"success":false,"data":null,"error":"MESSAGE"}
std::string error_body(std::string_view message);

Response success(std::string_view data, int status = 200);

/// `retry_after` of zero sends no such header.
Response failure(int status, std::string_view message, std::chrono::seconds retry_after = std::chrono::seconds(0));

}  // namespace raceway::server::http
