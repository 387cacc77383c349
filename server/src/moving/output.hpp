// The file that is written, compressed or not.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "http/descriptor.hpp"

namespace raceway::server::moving {

/// A file appears under its name, in place of what was there, when finish() has returned; without it nothing is left.
/// "-" is stdout. Not thread-safe. Throws std::runtime_error that names the file.
class Output {
 public:
  Output(const std::string& path, bool compress);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view text);

  /// Writes out everything. No write() may follow.
  void finish();

  /// Whether people read along: text goes to a terminal as it is.
  bool is_terminal() const { return is_terminal_; }

  /// Bytes of text so far, before compression.
  std::uint64_t written() const { return written_; }

 private:
  void flush();
  void deflate_pending(int mode);
  void write_raw(const char* data, std::size_t size);
  [[noreturn]] void fail() const;

  const std::string path_;
  const bool compress_;
  std::string temporary_;  // empty: written in place
  http::Descriptor owned_;
  int descriptor_ = 1;
  bool is_terminal_ = false;
  std::string pending_;
  std::uint64_t written_ = 0;
  z_stream stream_{};
};

}  // namespace raceway::server::moving
