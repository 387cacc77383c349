// Numbers stand in plain notation, as PostgreSQL's numeric prints them, and keep their value and their scale.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/number.hpp"

namespace raceway::wire {
namespace {

TEST(Numbers, ArePrintedAsNumericPrintsThem) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"0", "0"},
                                                                  {"-0", "0"},
                                                                  {"0.0", "0.0"},
                                                                  {"-0.0", "0.0"},
                                                                  {"-0.00e0", "0.00"},
                                                                  {"0e5", "0"},
                                                                  {"0E-3", "0.000"},
                                                                  {"0.00e1", "0.0"},
                                                                  {"-0.00e1", "0.0"},
                                                                  {"0.00e2", "0"},
                                                                  {"0.00e9", "0"},
                                                                  {"7", "7"},
                                                                  {"-7", "-7"},
                                                                  {"10", "10"},
                                                                  {"1.50", "1.50"},
                                                                  {"1.50e1", "15.0"},
                                                                  {"1.50e2", "150"},
                                                                  {"1.50e3", "1500"},
                                                                  {"1.50e-1", "0.150"},
                                                                  {"1e2", "100"},
                                                                  {"1E+2", "100"},
                                                                  {"1e-0", "1"},
                                                                  {"1E-7", "0.0000001"},
                                                                  {"-1e-7", "-0.0000001"},
                                                                  {"12.34e1", "123.4"},
                                                                  {"0.012e1", "0.12"},
                                                                  {"0.012e2", "1.2"},
                                                                  {"0.012e3", "12"},
                                                                  {"0.012e4", "120"},
                                                                  {"100e-2", "1.00"},
                                                                  {"120e-1", "12.0"},
                                                                  {"1e005", "100000"},
                                                                  {"-12.5e0", "-12.5"},
                                                                  {"18446744073709551616", "18446744073709551616"}};
  for (const auto& [sent, kept] : cases) {
    EXPECT_NE(classify_number(sent), NumberNotation::invalid) << sent;
    EXPECT_EQ(plain_number(sent), kept) << sent;
    EXPECT_EQ(plain_number_size(sent), kept.size()) << sent;
    EXPECT_EQ(classify_number(sent) == NumberNotation::plain, sent == kept) << sent;
  }
}

TEST(Numbers, FollowTheGrammarOfJson) {
  for (const auto* bad : {"",    "-",   "+1",  "01",  "-01",  "00",   "1.",   ".5",    "-.5",      "1.e1", "1e",
                          "1e+", "1e-", "1E",  "e1",  "1e1.", "1e1e", "1.2.", "0x1",   "1 ",       " 1",   "--1",
                          "1-",  "1f",  "NaN", "inf", "1,0",  "1_0",  "1e 1", "1e+-1", "Infinity", "١",    "1\n"}) {
    EXPECT_EQ(classify_number(bad), NumberNotation::invalid) << bad;
  }
}

TEST(Numbers, OfTooManyDigitsAreNotKept) {
  const std::string most(max_number_digits, '7');
  EXPECT_EQ(plain_number(most), most);
  EXPECT_EQ(classify_number(most), NumberNotation::plain);
  EXPECT_EQ(plain_number("0." + most), "0." + most);
  EXPECT_EQ(plain_number("1e999"), "1" + std::string(999, '0'));
  EXPECT_EQ(plain_number("1e-1000"), "0." + std::string(999, '0') + "1");
  for (const std::string& sent : {most + "7", "0." + most + "7", std::string("1e1000"), std::string("-1e1000"),
                                  std::string("1e-1001"), std::string("0e-1001"), std::string("1e400000000"),
                                  std::string("1e-400000000"), std::string("1e99999999999999999999"),
                                  std::string("1e-99999999999999999999"), most + "e1", "0." + most + "e-1"}) {
    EXPECT_EQ(classify_number(sent), NumberNotation::needs_rewriting) << sent.substr(0, 30);
    EXPECT_EQ(plain_number(sent), std::nullopt) << sent.substr(0, 30);
  }
}

TEST(Numbers, AreMeasuredByTheDigitsTheyHaveInPlainNotation) {
  const std::string zeros(3'000, '0');
  EXPECT_EQ(plain_number("0." + zeros + "1e3001"), "1");
  EXPECT_EQ(plain_number("0." + zeros + "15e3001"), "1.5");
  EXPECT_EQ(plain_number("1" + zeros + "e-3000"), std::nullopt) << "3000 digits after the point";
  EXPECT_EQ(plain_number("0e5000"), "0");
  EXPECT_EQ(plain_number("-0.0e99999999999999999999"), "0");
}

TEST(Numbers, OfEveryDoubleAreKept) {
  EXPECT_TRUE(plain_number("1.7976931348623157e308"));
  EXPECT_TRUE(plain_number("4.9406564584124654e-324"));
  EXPECT_TRUE(plain_number("2.2250738585072014E-308"));
}

TEST(WholeNumbers, GoFromZeroTo64Bits) {
  const std::vector<std::pair<std::string, std::optional<std::uint64_t>>> cases = {
      {"0", 0},
      {"5", 5},
      {"5.0", 5},
      {"5.000", 5},
      {"0.0", 0},
      {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
      {"18446744073709551615.0", std::numeric_limits<std::uint64_t>::max()},
      {"18446744073709551616", std::nullopt},
      {"99999999999999999999999", std::nullopt},
      {"-1", std::nullopt},
      {"-0.5", std::nullopt},
      {"0.5", std::nullopt},
      {"1.5", std::nullopt},
      {"", std::nullopt}};
  for (const auto& [plain, value] : cases) EXPECT_EQ(whole_number(plain), value) << plain;
}

/// The exact value of a JSON number: the digits without zeros at either end, and the power of ten of the last one.
struct Decimal {
  bool negative = false;
  std::string digits;
  long exponent = 0;
  long scale = 0;  // digits behind the point

  explicit Decimal(std::string_view token) {
    const auto e = std::min(token.find_first_of("eE"), token.size());
    auto mantissa = std::string(token.substr(0, e));
    const long power = e < token.size() ? std::stol(std::string(token.substr(e + 1))) : 0;
    negative = mantissa.front() == '-';
    if (negative) mantissa.erase(0, 1);
    const auto point = std::min(mantissa.find('.'), mantissa.size());
    const long fraction = point < mantissa.size() ? static_cast<long>(mantissa.size() - point - 1) : 0;
    digits = mantissa.substr(0, point) + (fraction > 0 ? mantissa.substr(point + 1) : "");
    exponent = power - fraction;
    scale = std::max(0L, fraction - power);
    digits.erase(0, digits.find_first_not_of('0'));
    if (digits.find_first_not_of('0') == std::string::npos) digits.clear();
    while (digits.ends_with('0')) {
      digits.pop_back();
      ++exponent;
    }
    if (digits.empty()) {
      negative = false;
      exponent = 0;
    }
  }
  friend bool operator==(const Decimal&, const Decimal&) = default;
};

RC_GTEST_PROP(Numbers, KeepTheirValueAndTheirScale, ()) {
  const auto digits = [](int least, int most) {
    return *rc::gen::resize(
        most, rc::gen::suchThat(rc::gen::container<std::string>(rc::gen::inRange('0', ':')),
                                [&](const std::string& s) { return static_cast<int>(s.size()) >= least; }));
  };
  std::string token = *rc::gen::element<std::string>("", "-");
  auto whole = digits(1, 30);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  token += whole;
  if (*rc::gen::arbitrary<bool>()) token += "." + digits(1, 30);
  if (*rc::gen::arbitrary<bool>()) {
    token += *rc::gen::element<std::string>("e", "E", "e+", "E-", "e-") + std::to_string(*rc::gen::inRange(0, 120));
  }
  RC_TAG(token.find_first_of("eE") != std::string::npos ? "with exponent" : "without");

  RC_ASSERT(classify_number(token) != NumberNotation::invalid);
  const auto plain = plain_number(token);
  RC_ASSERT(plain_number_size(token) == (plain ? std::optional(plain->size()) : std::nullopt));
  RC_ASSERT(plain.has_value());
  RC_ASSERT(plain->find_first_of("eE+") == std::string::npos);
  RC_ASSERT(classify_number(*plain) == NumberNotation::plain);
  const Decimal sent(token);
  const Decimal kept(*plain);
  RC_ASSERT(kept == sent);
  if (classify_number(token) == NumberNotation::plain) RC_ASSERT(*plain == token);
}

}  // namespace
}  // namespace raceway::wire
