// The file that is read: bytes as they are, or what a gzip file holds.
#pragma once

#include <zlib.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/descriptor.hpp"

namespace raceway::server::moving {

/// Not thread-safe, but for consumed().
class Input {
 public:
  /// Opens a file; "-" is stdin. Throws std::runtime_error that names it.
  explicit Input(const std::string& path);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  /// Puts the next piece of text into `piece`, in place of what it held. Answers false at the end, also where the file
  /// is damaged and nothing more can be read; damage() tells. Throws std::runtime_error where reading fails.
  bool read(std::string& piece);

  /// What is wrong with the compressed file, and where.
  const std::optional<std::string>& damage() const { return damage_; }

  /// Bytes of the file read so far, as it lies on the disk.
  std::uint64_t consumed() const { return consumed_.load(std::memory_order_relaxed); }

  /// Its size in bytes where that is known.
  std::optional<std::uint64_t> size() const { return size_; }

 private:
  bool fill();
  bool inflate_some(std::string& piece);
  bool spoil(const std::string& what);

  const std::string path_;
  http::Descriptor owned_;
  int descriptor_ = 0;
  std::optional<std::uint64_t> size_;
  std::atomic<std::uint64_t> consumed_ = 0;
  std::vector<char> raw_;  // what was read and is not decompressed yet: [raw_at_, raw_end_)
  std::size_t raw_at_ = 0;
  std::size_t raw_end_ = 0;
  bool started_ = false;
  bool compressed_ = false;
  bool in_member_ = false;  // inside a gzip member; a file may have several
  std::uint64_t inflated_ = 0;
  z_stream stream_{};
  std::optional<std::string> damage_;
};

}  // namespace raceway::server::moving
