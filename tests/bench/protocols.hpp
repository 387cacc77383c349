// What goes over the wire to Raceway and to Redis.
#pragma once

#include "socket_load.hpp"
#include "traffic.hpp"

namespace raceway::bench {

/// POST of a body to `path`. An answer counts as success with status 200; what its "stored", "duplicates" and
/// "rejected" say is added up where they are there.
class HttpProtocol : public Protocol {
 public:
  static Request request(const std::string& path, const Traffic& traffic, const Body& body);
  bool is_answer(std::string_view received, const Request& request, Outcome& outcome) const override;
};

/// One XADD for each event of a body, with its JSON as the only field, sent in one go (pipelined).
class RedisProtocol : public Protocol {
 public:
  static Request request(const Traffic& traffic, const Body& body);
  bool is_answer(std::string_view received, const Request& request, Outcome& outcome) const override;
};

}  // namespace raceway::bench
