// Between the bytes of a connection and the pipeline.
#pragma once

#include <atomic>
#include <memory>

#include "http/connection.hpp"
#include "http/framing.hpp"
#include "http/pipeline.hpp"
#include "http/server.hpp"

namespace raceway::server::http {

/// What becomes of a connection after an answer.
enum class Outcome {
  keep,
  close,
  linger,  ///< close, but after the client had the chance to read the answer: it may still be sending
  reset,   ///< so that the client cannot take a cut answer for a whole one
};

/// Thread-safe.
class Codec {
 public:
  /// While `draining`, every answer is the last of its connection.
  Codec(Pipeline& pipeline, const Hooks& hooks, const std::atomic<bool>& draining);
  ~Codec();

  /// Serves one request, whose whole head is buffered and was accepted as `framing`.
  Outcome serve(Connection& connection, const Framing& framing);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace raceway::server::http
