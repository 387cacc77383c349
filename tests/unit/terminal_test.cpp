// Text from elsewhere on its way to a terminal: what acts is made visible, all else stays.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "doctor/report.hpp"
#include "moving/report.hpp"
#include "status/view.hpp"
#include "terminal/for_terminal.hpp"

namespace raceway::server::terminal {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string utf8(char32_t code) {
  std::string text;
  const auto more = [&](unsigned shift) { text += static_cast<char>(0x80U | (code >> shift & 0x3FU)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) {
    text += static_cast<char>(0xC0U | code >> 6U);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0U | code >> 12U);
    more(6);
  } else {
    text += static_cast<char>(0xF0U | code >> 18U);
    more(12);
    more(6);
  }
  more(0);
  return text;
}

TEST(TextForATerminal, ShowsWhatWouldAct) {
  EXPECT_EQ(for_terminal("a\x1b[2Jb\x07"), "a\\x1b[2Jb\\x07");
  EXPECT_EQ(for_terminal(std::string_view("\0\r\b\x7f", 4)), "\\x00\\x0d\\x08\\x7f");
  EXPECT_EQ(for_terminal("\u009b31m\u0085"), "\\u009b31m\\u0085");
  EXPECT_EQ(for_terminal("\u202e\u2066\u200f\u061c\u200b\u2028\ufeff\u00ad"),
            "\\u202e\\u2066\\u200f\\u061c\\u200b\\u2028\\ufeff\\u00ad");
  EXPECT_EQ(for_terminal("\U000e0041"), "\\U000e0041");
  EXPECT_EQ(for_terminal("\x9b\xff\xc3"), "\\x9b\\xff\\xc3") << "bytes that are no UTF-8";
  EXPECT_EQ(for_terminal("\xc0\x9b\xe0\x80\x9b\xed\xa0\x80"), "\\xc0\\x9b\\xe0\\x80\\x9b\\xed\\xa0\\x80")
      << "overlong, surrogate";
}

TEST(TextForATerminal, KeepsAllElse) {
  constexpr const char* text = "plain, \"quoted\" \\ é ✓ 数据库 \U0001f600\n\tnext line";
  EXPECT_EQ(for_terminal(text), text);
  EXPECT_EQ(line_for_terminal("one\ntwo\t"), "one\\x0atwo\\x09");
}

TEST(TextForATerminal, HoldsNothingOfTheKindsThatAct) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    const bool acts = code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x202A && code <= 0x202E) ||
                      (code >= 0x2066 && code <= 0x2069) || code == 0x200E || code == 0x200F || code == 0x61C ||
                      (code >= 0x200B && code <= 0x200D) || code == 0x2060 || code == 0xFEFF || code == 0x2028 ||
                      code == 0x2029;
    ASSERT_TRUE(!acts || first_character(utf8(code)).acts()) << std::hex << static_cast<std::uint32_t>(code);
    ASSERT_EQ(first_character(utf8(code)).code, code);
  }
}

RC_GTEST_PROP(AnyBytes, AreHarmlessAfterwardsAndJsonMeansTheSame, ()) {
  const auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const auto text = line_for_terminal(bytes);
  for (std::string_view shown = text; !shown.empty();) {
    const auto character = first_character(shown);
    RC_ASSERT(!character.acts());
    shown.remove_prefix(character.size);
  }
  const auto code = *rc::gen::inRange<std::uint32_t>(0, 0x10FFFF);
  RC_PRE(code < 0xD800 || code > 0xDFFF);
  const nlohmann::json json = {"a", utf8(code), {{utf8(code) + "\n", 1}}};
  RC_ASSERT(nlohmann::json::parse(json_for_terminal(json.dump(2))) == json);
}

constexpr const char* hostile = "x\x1b]0;gotcha\x07\u009b31m\u202ey\nforged line";

testing::Matcher<std::string> is_harmless() {
  return AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")), Not(HasSubstr("\u009b")), Not(HasSubstr("\u202e")),
               Not(HasSubstr("\nforged")), HasSubstr("gotcha"));
}

TEST(WhatAServerSays, ReachesNoTerminalAsItIs) {
  const nlohmann::ordered_json data = {
      {"version", hostile}, {"backend", hostile}, {hostile, 1}, {"pool", {{hostile, hostile}}}};
  EXPECT_THAT(status::view(hostile, data, status::Metrics(""), 1, {}), is_harmless());

  std::ostringstream told;
  moving::Report report(told);
  report.rejected({}, hostile, hostile);
  report.unreadable({}, hostile);
  report.note(hostile);
  EXPECT_THAT(told.str(), is_harmless());

  const doctor::Findings findings = {
      {hostile, doctor::Severity::error, hostile, {{doctor::Place::sql, "owner", {hostile}, hostile}}}};
  for (const auto print : {+[](std::ostream&out, const doctor::Findings&all) { doctor::print_text(out, all, {}); },
                           +[](std::ostream&out, const doctor::Findings&all) { doctor::print_json(out, all); }}) {
    std::ostringstream out;
    print(out, findings);
    EXPECT_THAT(out.str(), is_harmless());
  }
}

}  // namespace
}  // namespace raceway::server::terminal
