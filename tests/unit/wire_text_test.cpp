// UUIDs, the escapes of JSON strings, and cutting text by characters.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/json.hpp"
#include "wire/string_escapes.hpp"
#include "wire/text.hpp"
#include "wire/uuid.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

const std::string canonical = "0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f6";

TEST(Uuids, InEveryUsualFormAreTheSame) {
  for (const auto* text :
       {"0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f6", "0AF7651F-8C10-4B2D-9E3F-A1B2C3D4E5F6",
        "0af7651f8c104b2d9e3fa1b2c3d4e5f6", "0AF7651f8c104B2D9e3fa1b2c3d4e5f6",
        "{0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f6}", "{0AF7651F8C104B2D9E3FA1B2C3D4E5F6}",
        "urn:uuid:0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f6", "URN:UUID:0AF7651F-8C10-4B2D-9E3F-A1B2C3D4E5F6"}) {
    EXPECT_EQ(canonical_uuid(text), canonical) << text;
  }
}

TEST(Uuids, AreNothingElse) {
  for (const auto* text : {"", "trace-1", "{}", "urn:uuid:", "0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f",
                           "0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f67", "0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5fg",
                           "0af7651f8c10-4b2d-9e3f-a1b2c3d4e5f6", "0af7651f-8c10-4b2d-9e3fa1b2c3d4e5f6",
                           "0af7-651f8c10-4b2d-9e3f-a1b2c3d4e5f6", "{0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f6",
                           "0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f6}", " 0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5f6",
                           "------------------------------------", "0af7651f-8c10-4b2d-9e3f-a1b2c3d4e5-6"}) {
    EXPECT_EQ(canonical_uuid(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Uuids, StayAsTheyAreOnceCanonical, ()) {
  const auto uuid = Dice().uuid();
  RC_ASSERT(canonical_uuid(uuid) == uuid);
}

std::pair<Unescaped, std::string> unescaped(std::string_view raw) {
  Allowance allowance;
  std::string out(raw.size(), '\0');
  char* end = out.data();
  const auto outcome = unescape(raw, end, allowance);
  EXPECT_EQ(check_escapes(raw, allowance), outcome) << raw;
  out.resize(static_cast<std::size_t>(end - out.data()));
  return {outcome, out};
}

TEST(Escapes, AreResolved) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ""},
      {"plain", "plain"},
      {R"(\"\\\/\b\f\n\r\t)", "\"\\/\b\f\n\r\t"},
      {R"(a\u0041\u00e9\u6f22z)", "aAé漢z"},
      {R"(\u00E9\u007f\u0080\u07ff\u0800\uffff)", "é\x7f\u0080\u07ff\u0800\uffff"},
      {R"(\ud83d\ude00)", "😀"},
      {R"(\uD800\uDC00\udbff\udfff)", "\U00010000\U0010ffff"},
      {R"(\\u0041)", R"(\u0041)"}};
  for (const auto& [raw, text] : cases) EXPECT_EQ(unescaped(raw), std::pair(Unescaped::ok, text)) << raw;
}

TEST(Escapes, ThatJsonDoesNotKnowAreToldFromThoseThatNoTextCanHold) {
  for (const auto* raw : {R"(\x41)", R"(\a)", R"(\U0041)", R"(\u004)", R"(\u00g1)", R"(\u)", "\\", R"(\')",
                          R"(\ud83d\u)", R"(\u0000\x)", R"(\ud800\x)", R"(\ud800\u12)", R"(\n\ )"}) {
    EXPECT_EQ(unescaped(raw).first, Unescaped::bad_escape) << raw;
  }
  for (const auto* raw : {R"(\u0000)", R"(a\u0000b\n)"}) EXPECT_EQ(unescaped(raw).first, Unescaped::nul) << raw;
  for (const auto* raw : {R"(\ud800)", R"(\udc00)", R"(\ud800\ud800)", R"(\ud800\u0041)", R"(\ud800\n)", R"(\ud800x)",
                          R"(\udc00\ud800)"}) {
    EXPECT_EQ(unescaped(raw).first, Unescaped::lone_surrogate) << raw;
  }
}

RC_GTEST_PROP(Escapes, GiveBackWhatAnotherWriterEscaped, ()) {
  const auto text = Dice().text(30);
  const bool only_ascii = *rc::gen::arbitrary<bool>();
  const auto quoted = nlohmann::json(text).dump(-1, ' ', only_ascii);
  const auto outcome = unescaped(std::string_view(quoted).substr(1, quoted.size() - 2));
  RC_ASSERT(outcome.first == Unescaped::ok);
  RC_ASSERT(outcome.second == text);
}

RC_GTEST_PROP(Escapes, AreWrittenSoThatAnotherReaderUnderstands, ()) {
  const auto text = Dice().text(30);
  std::string quoted;
  append_json_string(quoted, text);
  RC_ASSERT(nlohmann::json::parse(quoted).get<std::string>() == text);
}

TEST(Escapes, AreWrittenOnlyWhereTheyMustBe) {
  std::string quoted;
  append_json_string(quoted, "/é漢\x7f\"\\\b\f\n\r\t\x01\x1f");
  EXPECT_EQ(quoted, "\"/é漢\x7f\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"");
}

TEST(Text, IsCutBetweenCharacters) {
  EXPECT_EQ(character_count(""), 0U);
  EXPECT_EQ(character_count("aé漢😀"), 4U);
  EXPECT_EQ(first_characters("aé漢😀", 0), "");
  EXPECT_EQ(first_characters("aé漢😀", 2), "aé");
  EXPECT_EQ(first_characters("aé漢😀", 3), "aé漢");
  EXPECT_EQ(first_characters("aé漢😀", 4), "aé漢😀");
  EXPECT_TRUE(fits("aé漢😀", 4));
  EXPECT_FALSE(fits("aé漢😀", 3));
}

RC_GTEST_PROP(Text, CutIsTheLongestBeginningThatFits, ()) {
  const auto text = Dice().text(20);
  const auto limit = static_cast<std::size_t>(*rc::gen::inRange(0, 25));
  const auto cut = first_characters(text, limit);
  RC_ASSERT(text.starts_with(cut));
  RC_ASSERT(character_count(cut) == std::min(limit, character_count(text)));
  RC_ASSERT(fits(text, limit) == (cut == text));
}

}  // namespace
}  // namespace raceway::wire::test
