// What goes over the wire to Raceway and to Redis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

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

/// POST of spans in protobuf; they are counted as a request's events. Anything but 200 with nothing to say is an error.
class OtlpProtocol : public Protocol {
 public:
  /// The spans numbered [first, first + count), see spans.hpp.
  static Request request(std::uint64_t first, std::size_t count);
  bool is_answer(std::string_view received, const Request& request, Outcome& outcome) const override;
};

/// One XADD for each event of a body, with its JSON as the only field, sent in one go (pipelined).
class RedisProtocol : public Protocol {
 public:
  static Request request(const Traffic& traffic, const Body& body);
  bool is_answer(std::string_view received, const Request& request, Outcome& outcome) const override;
};

}  // namespace raceway::bench
