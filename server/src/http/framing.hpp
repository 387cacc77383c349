// Where a request ends: strict on purpose, so that no two readers of the same bytes can disagree about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace raceway::server::http {

/// What the head says about the message.
struct Framing {
  std::size_t head_bytes = 0;  ///< with the empty line at its end
  std::uint64_t content_length = 0;
  bool chunked = false;
  bool expects_continue = false;
  bool keep_alive = true;  ///< the client wants it
  bool http_1_0 = false;

  bool has_body() const { return chunked || content_length > 0; }
};

/// A head that cannot be accepted.
struct BadHead {
  int status;
  std::string reason;
};

/// The length of the head at the start of `bytes`, or nothing where its end has not come yet. `scanned` is where an
/// earlier call for fewer bytes left off (0 at first).
std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t& scanned);

/// Looks at a whole head. Refused are: control characters, lines without CRLF, folded lines, names with blanks, more
/// than 100 fields, lines over 8,000 bytes, a Content-Length that is no number or given twice, a Transfer-Encoding
/// other than chunked, and both together; no Host in HTTP/1.1, and two of them. Answers through `bad` and then the
/// framing means nothing.
Framing inspect_head(std::string_view head, std::optional<BadHead>& bad);

/// The fields of a head that was accepted: in order, the values as sent, without blanks at their ends.
Fields read_fields(std::string_view head);

/// Finds the end of a body, piece by piece, and passes on what is in it.
class BodyDecoder {
 public:
  enum class State { more, done, malformed, stopped };
  /// Takes a piece; false stops.
  using Sink = std::function<bool(std::string_view)>;

  explicit BodyDecoder(const Framing& framing);

  /// Consumes from `bytes` up to the body's end; answers how many.
  std::size_t feed(std::string_view bytes, const Sink& sink);
  State state() const { return state_; }
  /// Bytes of the body that are still to come, where it is not chunked.
  std::uint64_t left() const { return left_; }

 private:
  enum class Step { size, extension, size_end, data, data_cr, data_lf, trailer, trailer_end };
  std::size_t feed_data(std::string_view bytes, const Sink& sink);
  void feed_size(char c);
  void feed_mark(char c);
  void feed_trailer(char c);
  void fail() { state_ = State::malformed; }

  State state_ = State::more;
  Step step_ = Step::data;
  bool chunked_;
  std::uint64_t left_;        ///< of the body, or of this chunk
  unsigned digits_ = 0;       ///< of this chunk's size
  std::size_t overhead_ = 0;  ///< bytes of extensions and trailers
  bool trailer_line_empty_ = true;
};

}  // namespace raceway::server::http
