// A file descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace raceway::server::http {

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Descriptor old(std::exchange(value_, std::exchange(other.value_, -1)));
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  /// Gives it up to the caller, who closes it.
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

}  // namespace raceway::server::http
