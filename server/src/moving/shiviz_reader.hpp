// Reads the events of a ShiViz log by the log's own regular expression, without holding more than a few lines of it.
//
// The expression is one of JavaScript with the named groups `event`, `host` and `clock`; further groups become
// metadata, and `date` the time. Of a log that `export` wrote, ids, kinds and times come back as they were. Else an
// event's id is `TRACE:LINE`, so that the same log read again makes the same events; without a date its time is the
// number of its line, in milliseconds since 1970.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moving/event_sink.hpp"

namespace raceway::server::moving {

/// Whether a text begins as a log that has its expression on the first line.
bool begins_with_parser(std::string_view text);

class ShivizReader : public EventReader {
 public:
  /// `parser` may be empty: then it is the log's first line. Events under no label belong to `trace`. Throws
  /// std::runtime_error where the expression cannot be used, also from feed() and finish().
  ShivizReader(EventSink& sink, const std::string& parser, std::string trace);
  ~ShivizReader() override;

  void feed(std::string_view piece) override;
  void finish() override;

 private:
  class Expression;
  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::vector<std::pair<std::string, std::string_view>> groups;  // by name; only those that took part
  };

  bool read_header(bool is_end);
  std::optional<std::string_view> next_line(bool is_end);
  void read_events(bool is_end);
  bool read_event(std::size_t end, bool may_grow);
  void emit(const Match& match);
  void skip_to(std::size_t place, bool is_event);
  std::string time_of(const Match& match, std::uint64_t line) const;

  EventSink& sink_;
  std::unique_ptr<Expression> parser_;
  std::unique_ptr<Expression> delimiter_;
  std::string trace_;
  bool has_header_ = false;  // whether it was read, or there is none
  bool is_own_ = false;      // written by `export`
  std::string text_;         // from what is not read yet
  std::size_t at_ = 0;
  std::uint64_t base_ = 0;
  std::uint64_t line_ = 1;
  std::uint64_t count_ = 0;
};

}  // namespace raceway::server::moving
