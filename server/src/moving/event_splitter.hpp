// Finds the events in JSON text, whatever they are wrapped in, without holding more of it than one event.
//
// It knows bare events, arrays of them, `{"events":[...]}`, the answers of GET /api/traces and /api/traces/:id, and any
// number of these behind each other, on lines of their own or not. Of a text's grammar it checks the structure
// (brackets, commas, colons, strings); what stands in a word or a number is for whoever takes the event.
//
// Behind damage it goes on: with the next line after the one where the broken event began.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "moving/event_sink.hpp"

namespace raceway::server::moving {

class EventSplitter : public EventReader {
 public:
  static constexpr std::size_t largest_event = std::size_t{64} << 20U;
  static constexpr std::size_t deepest = 256;

  /// `max_event` bounds what is held of the text, in bytes.
  explicit EventSplitter(EventSink& sink, std::size_t max_event = largest_event);

  void feed(std::string_view piece) override;
  void finish() override;

 private:
  /// What a container means for the search.
  enum class Role : std::uint8_t {
    list,       ///< an array whose elements are events, or wrap some
    candidate,  ///< an object that is an event, unless it turns out to wrap some
    wrapper,    ///< an object that wraps events
    inner,      ///< anything else
  };
  struct Frame {
    Role role = Role::inner;
    bool is_object = false;
    bool names_event = false;    ///< an id was among its members: it is an event
    bool names_success = false;  ///< it is an answer's envelope
  };
  enum class Expect : std::uint8_t { value, value_or_end, key_or_end, key, colon, comma_or_end };
  enum class Token : std::uint8_t { none, string, word };
  enum class Key : std::uint8_t { other, events, traces, data };

  void run();
  bool skip_space();
  bool read_string();
  bool read_word();
  void read_structure();
  bool read_between_events(char c);
  bool begin_scalar(char c);
  void open(bool is_object);
  void close(bool is_object);
  void begin_event();
  void end_value();
  void end_key();
  Role role_of_value(bool is_object) const;
  void unwrap();
  bool at_element() const { return stack_.empty() || stack_.back().role == Role::list; }
  void break_off(const std::string& what);
  bool is_cut_off();
  void resume();
  bool skip_line();
  void drop_consumed();
  Place here() const { return {line_, base_ + at_, count_}; }

  EventSink& sink_;
  const std::size_t max_event_;

  std::string text_;        // what is held: from the event under way, or from where reading goes on
  std::size_t at_ = 0;      // in text_
  std::uint64_t base_ = 0;  // of text_ in the whole
  std::uint64_t line_ = 1;
  std::uint64_t count_ = 0;

  std::vector<Frame> stack_;  // innermost last; below it lies the document, where anything may follow anything
  Expect expect_ = Expect::value;
  Token token_ = Token::none;
  bool escaped_ = false;        // in a string, behind a backslash
  std::size_t token_from_ = 0;  // in text_
  bool token_begins_line_ = false;
  Key key_ = Key::other;  // of the member under way

  bool capturing_ = false;  // an event is under way
  std::size_t capture_from_ = 0;
  std::uint64_t capture_line_ = 0;
  std::size_t capture_depth_ = 0;  // of the stack, outside of it

  bool skipping_line_ = false;  // after damage
  bool recovering_ = false;     // after damage, until an event was found
  bool damaged_ = false;
  bool at_line_start_ = true;  // nothing but space on this line yet
};

}  // namespace raceway::server::moving
