// The two ways in which a body can be bad.
#pragma once

#include <stdexcept>

namespace raceway::wire {

/// The body as a whole is not JSON, or holds no event. what() says which, and where.
class BodyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// It holds more events than one body may.
class TooManyEvents : public BodyError {
 public:
  using BodyError::BodyError;
};

/// An event that is JSON but cannot be kept. what() is the reason given to its sender; its neighbours
/// are not touched by it.
class EventError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace raceway::wire
