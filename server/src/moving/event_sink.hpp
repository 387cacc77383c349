// Where readers of files put what they find.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace raceway::server::moving {

/// What a file may begin with, and no reader takes for text.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// A place in the text of a file, uncompressed.
struct Place {
  std::uint64_t line = 1;
  std::uint64_t byte = 0;   ///< from 0
  std::uint64_t index = 0;  ///< how many events stand before it
};

class EventSink {
 public:
  virtual ~EventSink() = default;

  /// An event as JSON text, which lives until the call returns. Only its structure was checked.
  virtual void event(std::string_view text, const Place& place) = 0;

  /// Something at `place` could not be read; the reader goes on behind it.
  virtual void damage(const Place& place, const std::string& what) = 0;

  /// Something at `place` was read, and people should know how it was taken.
  virtual void note(const Place& /*place*/, const std::string& /*what*/) {}
};

/// Reads events out of a text that comes in pieces of any size.
class EventReader {
 public:
  virtual ~EventReader() = default;
  virtual void feed(std::string_view piece) = 0;
  /// The text is at its end. No more calls may follow.
  virtual void finish() = 0;
};

}  // namespace raceway::server::moving
