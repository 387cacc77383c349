// What a body may be: its type, its encoding, its size.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace raceway::server::http {

/// Whether a Content-Type is application/json or something+json, with any parameters.
bool is_json_type(std::string_view content_type);

/// Whether it is application/x-protobuf, or application/protobuf, with any parameters.
bool is_protobuf_type(std::string_view content_type);

enum class Encoding { identity, compressed };

/// identity, or gzip, x-gzip and deflate; nothing for others and for several.
std::optional<Encoding> parse_encoding(std::string_view content_encoding);

/// Gathers a body, decompressing it, and never holds more than `limit` bytes of it. Not thread-safe.
class BodySink {
 public:
  enum class Result { ok, too_large, too_inflated, corrupt };

  /// Appends to `out`, which must be empty and outlive the sink. More than free_inflation bytes that are more than
  /// `inflation` times what came are too_inflated. `room_for` is called with what `out` is about to take; what it
  /// throws ends the reading.
  BodySink(
      Encoding encoding, std::size_t limit, std::string& out,
      std::size_t inflation = std::numeric_limits<std::size_t>::max(),
      std::function<void(std::size_t)> room_for = [](std::size_t) {});
  static constexpr std::size_t free_inflation = std::size_t{1} << 20U;

  ~BodySink();
  BodySink(const BodySink&) = delete;
  BodySink& operator=(const BodySink&) = delete;

  /// After anything but ok, no more calls.
  Result append(std::string_view piece);

  /// Call when the body is at its end: corrupt where the compressed stream is not.
  Result finish();

 private:
  Result inflate_piece(std::string_view piece);
  Result start_inflate(unsigned char first);

  void add(std::string_view piece);

  const Encoding encoding_;
  const std::size_t limit_;
  const std::size_t inflation_;
  std::string& out_;
  const std::function<void(std::size_t)> room_for_;
  std::size_t came_ = 0;  // bytes as they were sent
  z_stream stream_{};
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace raceway::server::http
