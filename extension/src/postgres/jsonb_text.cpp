#include "postgres/jsonb_text.hpp"

extern "C" {
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
}

namespace raceway::postgres {
namespace {

/// Writes a jsonb. Nothing here has a destructor: all of it stands in a guard.
class Writer {
 public:
  explicit Writer(std::size_t most) : most_(most) { initStringInfo(&out_); }

  /// Answers whether it was not too large.
  bool write(Jsonb* jsonb) {
    JsonbIterator* iterator = JsonbIteratorInit(&jsonb->root);
    JsonbValue value;
    for (auto token = JsonbIteratorNext(&iterator, &value, false); token != WJB_DONE;
         token = JsonbIteratorNext(&iterator, &value, false)) {
      CHECK_FOR_INTERRUPTS();
      if (!put(token, value) || is_over()) return false;
    }
    return true;
  }
  std::string_view text() const { return {out_.data, static_cast<std::size_t>(out_.len)}; }

 private:
  bool is_over() const { return static_cast<std::size_t>(out_.len) > most_; }

  bool put(JsonbIteratorToken token, const JsonbValue& value) {
    switch (token) {
      case WJB_BEGIN_ARRAY:
        // A scalar stands in an array of its own, which is not shown.
        is_scalar_ = value.val.array.rawScalar;
        if (!is_scalar_) begin('[');
        return true;
      case WJB_BEGIN_OBJECT:
        begin('{');
        return true;
      case WJB_END_ARRAY:
        if (!is_scalar_) end(']');
        return true;
      case WJB_END_OBJECT:
        end('}');
        return true;
      case WJB_KEY:
        separate();
        is_first_ = true;  // no comma between a key and its value
        if (!put_string(value.val.string)) return false;
        appendBinaryStringInfo(&out_, ": ", 2);
        return true;
      case WJB_ELEM:
      case WJB_VALUE:
        separate();
        return put_scalar(value);
      case WJB_DONE:
        break;
    }
    return true;
  }

  void begin(char bracket) {
    separate();
    appendStringInfoChar(&out_, bracket);
    is_first_ = true;
  }
  void end(char bracket) {
    appendStringInfoChar(&out_, bracket);
    is_first_ = false;
  }
  void separate() {
    if (!is_first_) appendBinaryStringInfo(&out_, ", ", 2);
    is_first_ = false;
  }

  bool put_scalar(const JsonbValue& value) {
    switch (value.type) {
      case jbvString:
        return put_string(value.val.string);
      case jbvNumeric: {
        char* const digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
        appendStringInfoString(&out_, digits);
        pfree(digits);
        return true;
      }
      case jbvBool:
        appendStringInfoString(&out_, value.val.boolean ? "true" : "false");
        return true;
      default:
        appendStringInfoString(&out_, "null");
        return true;
    }
  }

  template <class String>
  bool put_string(const String& string) {
    const char* at = string.val;
    const char* const end = at + string.len;
    appendStringInfoChar(&out_, '"');
    while (at != end) {
      const char* const begin = at;
      while (at != end && static_cast<unsigned char>(*at) >= 0x20 && *at != '"' && *at != '\\') ++at;
      if (static_cast<std::size_t>(out_.len) + static_cast<std::size_t>(at - begin) > most_) return false;
      appendBinaryStringInfo(&out_, begin, static_cast<int>(at - begin));
      if (at != end) put_escaped(*at++);
    }
    appendStringInfoChar(&out_, '"');
    return true;
  }

  void put_escaped(char c) {
    CHECK_FOR_INTERRUPTS();
    switch (c) {
      case '"':
      case '\\':
        appendStringInfoChar(&out_, '\\');
        appendStringInfoChar(&out_, c);
        return;
      case '\b':
        appendStringInfoString(&out_, "\\b");
        return;
      case '\f':
        appendStringInfoString(&out_, "\\f");
        return;
      case '\n':
        appendStringInfoString(&out_, "\\n");
        return;
      case '\r':
        appendStringInfoString(&out_, "\\r");
        return;
      case '\t':
        appendStringInfoString(&out_, "\\t");
        return;
      default:
        appendStringInfo(&out_, "\\u%04x", static_cast<unsigned>(c));
    }
  }

  StringInfoData out_;
  std::size_t most_;
  bool is_first_ = true;
  bool is_scalar_ = false;
};

}  // namespace

std::string_view text_of_jsonb(Jsonb* jsonb, std::size_t most) {
  Writer writer(most);
  return writer.write(jsonb) ? writer.text() : std::string_view();
}

}  // namespace raceway::postgres
