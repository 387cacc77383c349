// What is read is what is JSON and can be kept; whether its values were counted before does not matter.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/arena.hpp"
#include "wire/bytes.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_scanner.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

std::string written(const Json& value) {
  std::string text;
  append_json(text, value);
  return text;
}

/// A value from its text, written again; nothing where it is declined or something follows.
std::optional<std::string> scanned(std::string_view json) {
  // Copied to its exact size, so that a checker of addresses sees every byte read too much.
  const std::vector<char> bytes(json.begin(), json.end());
  Arena arena;
  JsonScanner scan({bytes.data(), bytes.size()}, arena);
  scan.skip_space();
  Json value;
  if (!scan.read_value(value, 0)) return std::nullopt;
  scan.skip_space();
  if (scan.left() > 0) return std::nullopt;
  return written(value);
}

/// The same with its values counted before; nothing where the one who counts finds that it is no JSON or cannot be
/// kept. It takes the memory that was foreseen.
std::optional<std::string> scanned_as_counted(std::string_view json) {
  Allowance allowance;
  Measure measure(allowance.source());
  try {
    JsonReader reader(json, allowance);
    reader.measure_value(measure);
    reader.expect_end();
  } catch (const BodyError&) {
    return std::nullopt;
  }
  if (!measure.problem().empty()) return std::nullopt;
  Allowance measured;
  measured.set_limit(measure.bytes() + 2048);
  Arena arena(measured);
  JsonScanner scan(json, arena);
  scan.skip_space();
  Json value;
  if (!scan.read_counted_value(value, measure.counts())) throw std::logic_error("counted, and declined");
  return written(value);
}

TEST(JsonScanner, ReadsWhatTheReaderReads) {
  const std::vector<std::string> texts = {"0",
                                          "-1.50",
                                          "1e2",
                                          "-0",
                                          "null",
                                          "true",
                                          "false",
                                          "\"\"",
                                          R"("a b")",
                                          R"("\u00e9\n\"")",
                                          "\"\xC3\xA9\"",
                                          "[]",
                                          "{}",
                                          " [ 1 , \"a\" ,\tnull,true ,\r\nfalse, {} , [ ] , {\"k\" : [ {} ]} ] ",
                                          R"({"bb":1,"a":2,"a":3,"\u0061":4})",
                                          "\"" + std::string(100, 'x') + "\\\\" + std::string(100, 'y') + "\"",
                                          std::string(128, '[') + std::string(128, ']')};
  for (const auto& text : texts) {
    ASSERT_TRUE(scanned(text)) << text;
    EXPECT_EQ(scanned_as_counted(text), scanned(text)) << text;
  }
}

TEST(JsonScanner, DeclinesWhatTheReaderRefuses) {
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "nul",
                                          "nullx",
                                          "truefalse",
                                          "tru",
                                          "falsy",
                                          "01",
                                          "1.",
                                          ".5",
                                          "+1",
                                          "-",
                                          "1e",
                                          "0x1",
                                          "1 2",
                                          "\"",
                                          "\"a",
                                          "\"a\\",
                                          R"("a\")",
                                          R"("\x")",
                                          R"("\u12")",
                                          R"("\u0000")",
                                          R"("\ud800")",
                                          "\"a\nb\"",
                                          "\"\x01\"",
                                          "\"\xFF\"",
                                          "\"\xC3\"",
                                          "\"\xED\xA0\x80\"",
                                          "\"a\\\n\"",
                                          "[",
                                          "]",
                                          "[1",
                                          "[1,",
                                          "[1,]",
                                          "[,1]",
                                          "[1 2]",
                                          "{",
                                          "{\"a\"",
                                          "{\"a\":",
                                          "{\"a\":1",
                                          "{\"a\":1,",
                                          "{\"a\":1,}",
                                          "{,}",
                                          "{a:1}",
                                          "{\"a\" 1}",
                                          R"({"a":1 "b":2})",
                                          "'a'",
                                          R"(["a""b"])",
                                          std::string("nu\0l", 4),
                                          std::string("\"a\0b\"", 5),
                                          "1e999999999",
                                          std::string(129, '[') + std::string(129, ']')};
  for (const auto& text : texts) {
    ASSERT_FALSE(scanned_as_counted(text)) << text;
    EXPECT_FALSE(scanned(text)) << text;
  }
}

RC_GTEST_PROP(JsonScanner, AgreesWithTheReaderOnAnyText, ()) {
  Dice dice;
  auto text = dice.value(4).dump(dice.chance(50) ? -1 : 1);
  for (int changes = dice.between(0, 2); changes > 0; --changes) {
    const auto at = static_cast<std::size_t>(dice.between(0, static_cast<int>(text.size())));
    const auto length = static_cast<std::size_t>(dice.between(0, 2));
    text.replace(at, std::min(length, text.size() - at),
                 dice.one_of<const char*>(
                     {"\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", "e", " ", "\x01", "\xC3\xA9", "\xFF"}));
  }
  const auto value = scanned(text);
  RC_TAG(value ? "kept" : "not kept");
  RC_ASSERT(scanned_as_counted(text) == value);
}

RC_GTEST_PROP(JsonScanner, SeesNothingBehindItsWindow, ()) {
  Dice dice;
  const auto text = dice.value(4).dump(dice.chance(50) ? -1 : 1);
  const auto window = static_cast<std::size_t>(dice.between(0, static_cast<int>(text.size()) + 3));
  Arena arena;
  JsonScanner scan(text, arena);
  scan.move_to(0, window);
  Json value;
  const bool is_read = scan.read_value(value, 0);
  if (is_read) {
    RC_ASSERT(scan.place() <= window);
    RC_ASSERT(scanned(std::string_view(text).substr(0, scan.place())) == written(value));
  } else {
    RC_ASSERT(window < text.size());
  }
}

TEST(JsonScanner, StepsOverSpacesOfAnyNumber) {
  for (std::size_t size = 0; size < 70; ++size) {
    for (const char c : {' ', '\n', '\t', '\r'}) {
      const std::string spaces(size, c);
      for (const std::string behind : {"", "x", "\v ", "\x1f", "\xA0"}) {
        const auto text = spaces + behind;
        ASSERT_EQ(skip_spaces(text.data(), text.data() + text.size()), text.data() + size) << size << behind;
      }
    }
  }
}

TEST(JsonScanner, FindsTheFirstSpecialCharacterWhereverItStands) {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string plain(size, 'x');
    EXPECT_EQ(find_special(plain.data(), plain.data() + size), plain.data() + size);
    for (std::size_t first = 0; first < size; ++first) {
      for (const char special : {'"', '\\', '\0', '\n', '\x1f', '\x80', '\x9f', '\xff'}) {
        auto text = plain;
        std::fill(text.begin() + static_cast<std::ptrdiff_t>(first), text.end(), '"');
        text[first] = special;
        ASSERT_EQ(find_special(text.data(), text.data() + size), text.data() + first) << size << " " << int{special};
      }
    }
  }
  std::string others;
  for (int c = 0x20; c < 0x80; ++c) {
    if (c != '"' && c != '\\') others += static_cast<char>(c);
  }
  EXPECT_EQ(find_special(others.data(), others.data() + others.size()), others.data() + others.size());
}

TEST(EqualBytes, SeeEveryByteAndNoneBeyond) {
  for (std::size_t size = 0; size < 100; ++size) {
    const std::vector<char> a(size, 'a');
    EXPECT_TRUE(equal_bytes(a.data(), std::vector<char>(a).data(), size));
    for (std::size_t at = 0; at < size; ++at) {
      auto b = a;
      b[at] = 'b';
      ASSERT_FALSE(equal_bytes(a.data(), b.data(), size)) << at << " of " << size;
    }
  }
}

}  // namespace
}  // namespace raceway::wire::test
