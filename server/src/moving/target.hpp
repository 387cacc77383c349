// Where an import puts its events.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "config/endpoint.hpp"
#include "storage/storage.hpp"

namespace raceway::server::moving {

/// The body as a whole is refused: it is not JSON, or too large. In parts it may be taken.
class BodyRefused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// It cannot be taken now, and may be soon.
class ComeAgain : public std::runtime_error {
 public:
  ComeAgain(const std::string& what, std::optional<std::chrono::seconds> after)
      : std::runtime_error(what), retry_after(after) {}
  std::optional<std::chrono::seconds> retry_after;
};

/// A way into it; not thread-safe, each thread has one of its own.
class Target {
 public:
  virtual ~Target() = default;

  /// Stores a JSON array of events; returns when it is acknowledged. Throws BodyRefused, ComeAgain, or
  /// std::runtime_error where there is no use in going on.
  virtual storage::IngestResult send(std::string_view body) = 0;
};

/// Makes such ways. Thread-safe.
using OpenTarget = std::function<std::unique_ptr<Target>()>;

/// Prepares the endpoint: a database gets its extension and tables where auto_migrate is on. One that takes no
/// connection is waited for, `give_up` long. Throws std::runtime_error.
OpenTarget prepare_target(const config::Endpoint& endpoint, std::chrono::seconds give_up);

/// How it is told that the time was over.
std::string given_up(std::chrono::milliseconds after, const std::string& what);

}  // namespace raceway::server::moving
