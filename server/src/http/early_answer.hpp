// The answer to a request that was never read as a whole.
#pragma once

#include <string>
#include <string_view>

namespace raceway::server::http {

/// The bytes of an error in the envelope, after which the connection is closed; 503 asks to come again in a second.
std::string early_answer(int status, std::string_view reason, std::string_view request_id);

}  // namespace raceway::server::http
