// Clients of a server on 127.0.0.1, each with one connection that stays open and one request at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "outcome.hpp"

namespace raceway::bench {

/// One request as it goes over the wire.
struct Request {
  std::string bytes;
  std::uint64_t events = 0;
};

/// How answers look.
class Protocol {
 public:
  virtual ~Protocol() = default;
  /// Whether `received` is the whole answer to `request`; adds what it says to `outcome`. Throws std::runtime_error
  /// where it is no success.
  virtual bool is_answer(std::string_view received, const Request& request, Outcome& outcome) const = 0;
};

/// Sends each client's requests, a next one as soon as the last is answered, until they are used up or `seconds` are
/// over; what is under way then is waited for. One thread serves all clients, so that the load costs the machine
/// little. Throws std::runtime_error where a connection or an answer fails.
Outcome load_by_socket(std::uint16_t port, const Protocol& protocol,
                       const std::vector<std::vector<Request>>& requests_by_client, double seconds);

}  // namespace raceway::bench
