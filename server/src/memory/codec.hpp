// Texts, numbers and JSON values as packed bytes, and back to the very text they were.
//
// A JSON value is taken apart into its shape (keys and types) and what stands in it (texts and numbers, one after the
// other). The shape is the same for many events and so a single number of the dictionary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "memory/bytes.hpp"
#include "memory/dictionary.hpp"
#include "memory/vocabulary.hpp"
#include "wire/json.hpp"

namespace raceway::server::memory {

/// A text by its number where the dictionary has it, else by its bytes.
void put_shared(ByteBuffer& out, std::string_view text, Vocabulary& vocabulary);

/// The same of a text whose number is known, or that is known to have none.
void put_number_of_shared(ByteBuffer& out, std::uint32_t number);
void put_itself(ByteBuffer& out, std::string_view text);

/// As put_shared; a UUID and other hexadecimal digits take half a byte each instead.
void put_text(ByteBuffer& out, std::string_view text, Vocabulary& vocabulary);

/// Reads either. Answers a view of the dictionary, of the bytes read, or of `buffer`.
std::string_view read_text(ByteReader& from, const Dictionary& dictionary, std::string& buffer);

/// A JSON number. Any text comes back as it was; plain decimals (wire/number.hpp) are short.
void put_number(ByteBuffer& out, std::string_view text);
void append_number(std::string& out, ByteReader& from);

/// What stands at a place in a shape. The last two stand for a whole value that is known from elsewhere.
enum class Mark : char { null, no, yes, number, text, array, object, previous_id, clock_as_sent };

/// Takes values apart into `shape` and `values`.
class ShapeWriter {
 public:
  ShapeWriter(Vocabulary& vocabulary, ByteBuffer& shape, ByteBuffer& values)
      : vocabulary_(vocabulary), shape_(shape), values_(values) {}

  void value(const wire::Json& value);
  /// A value that is known from elsewhere.
  void known(Mark mark) { shape_.put(static_cast<char>(mark)); }
  void member(const wire::JsonMember& member) {
    shape_.put_counted(member.key());
    value(member.value);
  }

 private:
  void mark(Mark mark) { shape_.put(static_cast<char>(mark)); }

  Vocabulary& vocabulary_;
  ByteBuffer& shape_;
  ByteBuffer& values_;
};

/// What the last two marks stand for, as JSON text.
struct KnownValues {
  std::string_view previous_id;
  std::string_view clock_as_sent;
};

/// Reads members back, in the order written.
class ShapeReader {
 public:
  ShapeReader(std::string_view shape, ByteReader values, const Dictionary& dictionary)
      : shape_(shape), values_(values), dictionary_(dictionary) {}

  bool done() const { return shape_.done(); }
  std::string_view next_key() { return shape_.counted(); }
  /// Appends the value behind the key, as wire::append_json would.
  void append_value(std::string& out, const KnownValues& known, std::size_t depth = 0);
  /// Whether the value behind the key is that one. After a no it is not to be read from any more.
  bool next_value_is(const wire::Json& value);

 private:
  ByteReader shape_;
  ByteReader values_;
  const Dictionary& dictionary_;
  std::string buffer_;
};

}  // namespace raceway::server::memory
