// JSON text is read as the standard says; what is JSON but cannot be kept is told from what is no JSON.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/arena.hpp"
#include "wire/json_reader.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

enum class Verdict { kept, cannot_be_kept, not_json };

struct Outcome {
  Verdict verdict;
  std::string text;  // of the value, written again; or what was wrong
};

Outcome outcome_of(std::string_view json) {
  // Copied to its exact size, so that a checker of addresses sees every byte read too much.
  const std::vector<char> bytes(json.begin(), json.end());
  Arena arena;
  try {
    std::string text;
    append_json(text, read_json({bytes.data(), bytes.size()}, arena));
    return {Verdict::kept, text};
  } catch (const EventError& error) {
    return {Verdict::cannot_be_kept, error.what()};
  } catch (const BodyError& error) {
    return {Verdict::not_json, error.what()};
  }
}

std::string rewritten(std::string_view json) {
  const auto outcome = outcome_of(json);
  EXPECT_EQ(outcome.verdict, Verdict::kept) << json << ": " << outcome.text;
  return outcome.text;
}

TEST(JsonReader, WritesCompactly) {
  EXPECT_EQ(rewritten(" [ 1 , \"a\" ,\tnull,true ,\r\nfalse, {} , [ ] , {\"k\" : [ {} ]} ] "),
            R"([1,"a",null,true,false,{},[],{"k":[{}]}])");
  for (const auto* json : {"0", "-1.50", "\"\"", "null", "true", "false", "[]", "{}", "\"a b\""}) {
    EXPECT_EQ(rewritten(json), json);
  }
}

TEST(JsonReader, SortsKeysByLengthThenBytes) {
  EXPECT_EQ(rewritten(R"({"bb":1,"a":2,"é":3,"Z":4,"":5,"aaa":6,"ba":7})"),
            R"({"":5,"Z":4,"a":2,"ba":7,"bb":1,"é":3,"aaa":6})");
}

TEST(JsonReader, KeepsTheLastOfEqualKeys) {
  EXPECT_EQ(rewritten(R"({"a":1,"b":2,"a":3,"\u0061":4})"), R"({"a":4,"b":2})");
  // So many that they are sorted another way.
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i % 3) + "\":" + std::to_string(i) + ",";
  many.back() = '}';
  EXPECT_EQ(rewritten(many), R"({"k0":99,"k1":97,"k2":98})");
}

TEST(JsonReader, WritesNumbersInPlainNotation) {
  EXPECT_EQ(rewritten("[1.50e1,-0,1E-7,0.00e1,1e2]"), "[15.0,0,0.0000001,0.0,100]");
}

TEST(JsonReader, RefusesWhatIsNoJson) {
  for (const auto* json : {"",
                           " ",
                           "\n",
                           "{",
                           "}",
                           "[",
                           "]",
                           "\"",
                           "\"a",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "[1,,2]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{,}",
                           "{\"a\" 1}",
                           "{a:1}",
                           "{1:1}",
                           "{null:1}",
                           "[1}",
                           "{\"a\":1]",
                           "1 2",
                           "[] []",
                           "{}x",
                           "tru",
                           "truex",
                           "True",
                           "nul",
                           "NULL",
                           "nan",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "-",
                           "1e",
                           "'a'",
                           "\"a\"b",
                           R"("a""b")",
                           "1\"a\"",
                           "true\"a\"",
                           "[1]2",
                           "//x\n1",
                           "/**/1",
                           R"("\x")",
                           R"("\u12")",
                           "\"a\nb\"",
                           "\"\x01\"",
                           "\xEF\xBB\xBF{}",
                           "\v1",
                           "1\f",
                           "\xC2\xA0[]",
                           "\"\xFF\"",
                           "\"\xC0\xAF\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xF4\x90\x80\x80\"",
                           "\"\xE6\xBC\"",
                           "\xFF",
                           R"(["\"])",
                           R"({"a":1 "b":2})",
                           "[1:2]",
                           ",",
                           ":",
                           "[:]",
                           "{:}",
                           "{\"a\"::1}",
                           "{\"a\":,}"}) {
    const auto outcome = outcome_of(json);
    EXPECT_EQ(outcome.verdict, Verdict::not_json) << json << " gave " << outcome.text;
    EXPECT_TRUE(outcome.text.starts_with("the body is not JSON: ")) << outcome.text;
  }
  EXPECT_EQ(outcome_of(std::string_view("[\0]", 3)).verdict, Verdict::not_json);
  EXPECT_EQ(outcome_of(std::string_view("\"\0\"", 3)).verdict, Verdict::not_json);
  EXPECT_EQ(outcome_of(std::string_view("1\0", 2)).verdict, Verdict::not_json);
}

TEST(JsonReader, NamesTheByteWhereItBroke) {
  const std::vector<std::pair<std::string, std::string>> cases = {{R"({"a":1,"b":tru})", "at byte 11"},
                                                                  {R"([1, 2,, 3])", "at byte 6"},
                                                                  {R"({"a":1} x)", "at byte 8"},
                                                                  {R"({"a":"\x"})", "at byte 5"},
                                                                  {R"({"a" 1})", "at byte 5"},
                                                                  {R"(["a")", "at byte 4"},
                                                                  {R"([1, 01])", "at byte 4"},
                                                                  {"[\"a\", \"b\xFF\"]", "at byte 8"},
                                                                  {R"(["a", "bc)", "at byte 6"},
                                                                  {"[\"a\", \"b\nc\"]", "at byte 8"},
                                                                  {"[\"\\\"\\\\\", \"\x1f\"]", "at byte 10"},
                                                                  {"[\"é\", \xE6\xBC]", "at byte 7"}};
  for (const auto& [json, place] : cases) {
    const auto outcome = outcome_of(json);
    EXPECT_EQ(outcome.verdict, Verdict::not_json) << json;
    EXPECT_TRUE(outcome.text.ends_with(place)) << json << ": " << outcome.text << ", not " << place;
  }
}

TEST(JsonReader, TellsWhatIsJsonButCannotBeKept) {
  for (const auto* json :
       {R"("\u0000")", R"({"\u0000":1})", R"("\ud800")", R"({"a":["\udc00"]})", "1e400000000", "[1e-400000000]"}) {
    EXPECT_EQ(outcome_of(json).verdict, Verdict::cannot_be_kept) << json;
  }
  EXPECT_EQ(outcome_of(std::string(1'001, '1')).verdict, Verdict::cannot_be_kept);
}

std::string nested(int depth, bool objects) {
  std::string json;
  for (int i = 0; i < depth; ++i) json += objects ? "{\"k\":" : "[";
  json += "1";
  for (int i = 0; i < depth; ++i) json += objects ? "}" : "]";
  return json;
}

TEST(JsonReader, KeepsValuesUpToTheGreatestDepth) {
  for (const bool objects : {false, true}) {
    EXPECT_EQ(rewritten(nested(max_json_depth, objects)), nested(max_json_depth, objects));
    EXPECT_EQ(outcome_of(nested(max_json_depth + 1, objects)).verdict, Verdict::cannot_be_kept);
    EXPECT_EQ(outcome_of(nested(1'000'000, objects)).verdict, Verdict::cannot_be_kept);
  }
}

TEST(JsonReader, StepsOverAMillionLevels) {
  for (const bool objects : {false, true}) {
    const auto step_over = [](const std::string& json) {
      Allowance allowance;
      JsonReader reader(json, allowance);
      reader.skip_value();
      reader.expect_end();
    };
    auto deep = nested(1'000'000, objects);
    step_over(deep);
    deep.pop_back();
    EXPECT_THROW(step_over(deep), BodyError);
  }
}

TEST(JsonReader, IsReadyForTheNextTextAfterABrokenOne) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(outcome_of(R"([[1,{"a":[2,"\u0000"]}]])").verdict, Verdict::cannot_be_kept);
    EXPECT_EQ(outcome_of(R"([[1,{"a":[2,x]}]])").verdict, Verdict::not_json);
    EXPECT_EQ(rewritten("[[1]]"), "[[1]]");
  }
}

/// Whether something stands in `json` that we do not keep though it is JSON, or that the oracle does not take though it
/// is: \u0000, half a surrogate pair, a number beyond a double.
void expect_agreement(const std::string& json) {
  const bool accepted = nlohmann::json::accept(json);
  const auto outcome = outcome_of(json);
  if (accepted) RC_ASSERT(outcome.verdict != Verdict::not_json);
  if (outcome.verdict == Verdict::kept && !accepted) {
    // The one thing we take and it does not: a number too large for a double.
    RC_ASSERT(std::any_of(json.begin(), json.end(), [](char c) { return c == 'e' || c == 'E'; }) || json.size() > 308);
  }
  if (outcome.verdict == Verdict::cannot_be_kept && accepted) {
    const bool escape = json.find("\\u") != std::string::npos;
    const bool deep = std::count_if(json.begin(), json.end(), [](char c) { return c == '[' || c == '{'; }) > 128;
    const bool long_number = json.find_first_of("eE") != std::string::npos;
    RC_ASSERT(escape || deep || long_number);
  }
  // Written again it says the same.
  if (outcome.verdict == Verdict::kept && accepted)
    RC_ASSERT(nlohmann::json::parse(outcome.text) == nlohmann::json::parse(json));
}

RC_GTEST_PROP(JsonReader, AgreesWithAnotherReaderOnWhatItWrote, ()) {
  Dice dice;
  const auto json = dice.value(4).dump(dice.one_of({-1, 0, 2}), ' ', dice.chance(50));
  RC_ASSERT(nlohmann::json::accept(json));
  RC_ASSERT(outcome_of(json).verdict == Verdict::kept);
  expect_agreement(json);
}

RC_GTEST_PROP(JsonReader, AgreesWithAnotherReaderOnBrokenTexts, ()) {
  Dice dice;
  auto json = dice.value(3).dump(dice.one_of({-1, 1}));
  for (int changes = dice.between(1, 3); changes > 0; --changes) {
    const auto at = static_cast<std::size_t>(dice.between(0, static_cast<int>(json.size())));
    const auto piece = dice.one_of<std::string>(
        {"\"",   "\\", "{",       "}",       "[",       "]",       ",",      ":",  "0",    "-",
         ".",    "e5", "1",       "t",       "true",    "null",    " ",      "\n", "\x01", "\xC3",
         "\xA9", "é",  "\\u0000", "\\ud800", "\\udc00", "\\u0041", "\"a\":", "/",  "+",    "'"});
    switch (dice.between(0, 2)) {
      case 0:
        json.insert(at, piece);
        break;
      case 1:
        json.erase(at, static_cast<std::size_t>(dice.between(1, 3)));
        break;
      default:
        json.replace(at, 1, piece);
    }
  }
  expect_agreement(json);
}

RC_GTEST_PROP(JsonReader, AgreesWithAnotherReaderOnTextsOfTokens, ()) {
  Dice dice;
  std::string json;
  for (int tokens = dice.between(0, 12); tokens > 0; --tokens) {
    json += dice.one_of<std::string>({"{", "}", "[", "]", ",", ":", "1", "\"a\"", "\"b\":", "null", "true", " ", "-",
                                      "\"", "\\", "[]", "{}", "0.5", "x"});
  }
  expect_agreement(json);
}

}  // namespace
}  // namespace raceway::wire::test
