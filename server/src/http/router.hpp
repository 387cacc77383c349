// From method and path to the handler.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.hpp"

namespace raceway::server::http {

struct Route {
  std::string method;
  std::string pattern;
  Handler handler;
  Body body = Body::none;
  bool open = false;
  bool limited = true;
  TellFailure tell_failure = {};
};

/// What a path and a method lead to.
struct RouteMatch {
  const Route* route = nullptr;  ///< null: not this method, or no such path
  Fields parameters;             ///< percent-decoded
  std::string allow;             ///< the methods of this path, for Allow; empty where the path is unknown
};

/// Filled first, then read from many threads.
class Router {
 public:
  /// Patterns as Server::route says. Throws std::logic_error.
  void add(std::string_view method, std::string_view pattern, Handler handler, const RouteOptions& options);

  /// `path` is still percent-encoded: it is split at its slashes before it is decoded.
  RouteMatch find(std::string_view method, std::string_view path) const;

 private:
  struct Entry {
    std::vector<std::string> segments;
    std::string rank;  ///< one character a segment; the smaller, the more literal
    Route route;
    /// Those with a wildcard last.
    std::pair<bool, std::string_view> order() const { return {rank.back() == 'c', rank}; }
  };
  std::vector<Entry> entries_;  ///< in order
};

}  // namespace raceway::server::http
