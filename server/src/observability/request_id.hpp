// Ids that tie the log lines of one request together.
#pragma once

#include <string>
#include <string_view>

namespace raceway::server::observability {

/// A fresh id of 24 characters [0-9a-f], unique among processes too. Thread-safe.
std::string new_request_id();

/// `offered` (a client's X-Request-Id) if it is 1 to 128 characters of [A-Za-z0-9._-], else a fresh one.
std::string accept_request_id(std::string_view offered);

/// While it lives, log lines of this thread carry the id. Scopes nest; the inner one shows. Not for another thread.
class RequestScope {
 public:
  explicit RequestScope(std::string id);
  ~RequestScope();
  RequestScope(const RequestScope&) = delete;
  RequestScope& operator=(const RequestScope&) = delete;

  const std::string& id() const { return id_; }

 private:
  std::string id_;
  const RequestScope* outer_;
};

/// The id of the innermost scope of this thread, or empty.
std::string_view current_request_id();

}  // namespace raceway::server::observability
