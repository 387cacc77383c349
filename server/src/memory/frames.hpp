// The file of a snapshot: frames one behind the other, each with its length and checksums, so that what is damaged is
// noticed, and what stands behind it is found again.
//
//   magic      "RWS1": the last one is the version of the format
//   type       4 bytes, FrameType
//   length     8 bytes, of the payload
//   checksum   8 bytes, of the payload
//   checksum   8 bytes, of the 24 bytes before
//   payload
//
// Numbers are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace raceway::server::memory {

enum class FrameType : std::uint32_t { dictionary = 1, trace = 2, chunks = 3, dropped = 4, end = 5 };

inline constexpr std::string_view frame_magic = "RWS1";

/// Writes a file beside the one it is to become, which stays as it is until finish(). Not thread-safe.
class FrameFile {
 public:
  /// Throws std::system_error where the file cannot be made, as do the others where it cannot be written.
  explicit FrameFile(std::filesystem::path path);
  /// Without finish(), what was written goes.
  ~FrameFile();
  FrameFile(const FrameFile&) = delete;
  FrameFile& operator=(const FrameFile&) = delete;

  void put(FrameType type, std::string_view payload);
  std::uint64_t size() const { return size_; }
  /// Brings all to the disk, and the file to its place.
  void finish();

 private:
  void write(std::string_view bytes);
  void flush();
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path path_;
  std::filesystem::path unfinished_;
  int file_;
  std::string buffer_;
  std::uint64_t size_ = 0;
};

struct Frame {
  FrameType type;
  std::string_view payload;
};

/// Finds the frames of a file.
class FrameReader {
 public:
  /// `file` must live as long as it and the frames do.
  explicit FrameReader(std::string_view file) : file_(file) {}

  /// The next one that is whole.
  std::optional<Frame> next();
  /// What was passed over, in words, with its place.
  const std::vector<std::string>& damage() const { return damage_; }

 private:
  bool is_header(std::size_t at) const;
  void skip_to_header();

  std::string_view file_;
  std::size_t at_ = 0;
  std::vector<std::string> damage_;
};

}  // namespace raceway::server::memory
