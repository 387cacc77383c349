// Between the bytes of a connection and the pipeline.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "http/connection.hpp"
#include "http/framing.hpp"
#include "http/pipeline.hpp"
#include "http/server.hpp"

namespace raceway::server::http {

/// What becomes of a connection after an answer.
enum class Outcome {
  more,  ///< none yet: more of the body has to come
  keep,
  close,
  linger,  ///< close, but after the client had the chance to read the answer: it may still be sending
  reset,   ///< so that the client cannot take a cut answer for a whole one
};

/// What is kept of a request while its body comes.
struct PendingRequest {
  std::string request_line;
  Fields headers;
  std::string client;
  std::unique_ptr<Upload> upload;
};

/// Thread-safe.
class Codec {
 public:
  /// While `draining`, every answer is the last of its connection.
  Codec(Pipeline& pipeline, const Hooks& hooks, const std::atomic<bool>& draining);
  ~Codec();

  /// Serves one request, whose whole head was accepted as `framing`, and is buffered unless there is an upload. After
  /// `more`, and not before more of the body has come, the same again with what stands in `upload` then.
  Outcome serve(Connection& connection, const Framing& framing, std::unique_ptr<PendingRequest>& pending);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace raceway::server::http
