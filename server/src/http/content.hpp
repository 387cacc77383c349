// What a body may be: its type, its encoding, its size.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace raceway::server::http {

/// Whether a Content-Type is application/json or something+json, with any parameters.
bool is_json_type(std::string_view content_type);

enum class Encoding { identity, compressed };

/// identity, or gzip, x-gzip and deflate; nothing for others and for several.
std::optional<Encoding> parse_encoding(std::string_view content_encoding);

/// Gathers a body, decompressing it, and never holds more than `limit` bytes of it. Not thread-safe.
class BodySink {
 public:
  enum class Result { ok, too_large, corrupt };

  /// Appends to `out`, which must be empty and outlive the sink.
  BodySink(Encoding encoding, std::size_t limit, std::string& out);
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

  const Encoding encoding_;
  const std::size_t limit_;
  std::string& out_;
  z_stream stream_{};
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace raceway::server::http
