// Reads the events of a ShiViz log by the log's own regular expression, without holding more than a few lines of it.
//
// The expression is one of JavaScript with the named groups `event`, `host` and `clock`; further groups become
// metadata, and `date` the time. Of a log that `export` wrote, ids, kinds and times come back as they were. Else an
// event's id comes from what it is (LogIdentities), so that it is the same wherever it is read again; without a date
// its time is the sum of its clock's counters, in milliseconds since 1970. Lines may end as on Windows.
//
// Each label begins a trace. One that was there already names another execution: its trace is called `LABEL~2`.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moving/event_sink.hpp"
#include "moving/shiviz_clock.hpp"
#include "moving/shiviz_date.hpp"

namespace raceway::server::moving {

/// Whether a text begins as a log that has its expression on the first line.
bool begins_with_parser(std::string_view text);

class ShivizReader : public EventReader {
 public:
  /// `parser` may be empty: then it is the log's first line. Events under no label belong to `trace`. `date_order` is
  /// that of dates with slashes. Throws std::runtime_error where the expression cannot be used, also from feed() and
  /// finish().
  ShivizReader(EventSink& sink, const std::string& parser, std::string trace,
               DateOrder date_order = DateOrder::unstated);
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

  void append(std::string_view piece);
  void forget_read();
  bool read_header(bool is_end);
  std::optional<std::string_view> next_line(bool is_end);
  void read_events(bool is_end);
  bool read_event(std::size_t end, bool may_grow);
  void emit(const Match& match);
  void skip_to(std::size_t place, bool is_event);
  void name_execution(const Place& place);
  std::string time_of(const Match& match, const LogClock& clock) const;
  std::uint64_t byte_of(std::size_t at) const;

  EventSink& sink_;
  const DateOrder date_order_;
  std::unique_ptr<Expression> parser_;
  std::unique_ptr<Expression> delimiter_;
  std::string label_;
  std::string trace_;            // of the execution, once it has an event
  bool is_named_ = false;        // whether it has
  std::set<std::string> names_;  // of the executions so far
  LogIdentities identities_;
  bool has_header_ = false;           // whether it was read, or there is none
  bool is_own_ = false;               // written by `export`
  std::string text_;                  // from what is not read yet, with lines that end in '\n' alone
  std::vector<std::size_t> returns_;  // where in text_ a '\r' stood that was left out
  bool ends_in_return_ = false;       // the text so far, and what follows decides about it
  std::size_t at_ = 0;
  std::uint64_t base_ = 0;  // of text_ in the whole
  std::uint64_t line_ = 1;
  std::uint64_t count_ = 0;
};

}  // namespace raceway::server::moving
