// The parts of the HTTP door that need no socket.
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "http/auth.hpp"
#include "http/content.hpp"
#include "http/cors.hpp"
#include "http/envelope.hpp"
#include "http/rate_limit.hpp"
#include "http/router.hpp"
#include "http/text.hpp"
#include "http_support.hpp"

namespace raceway::server::http {
namespace {

Response nothing(Request&) {
  return {};
}

TEST(HttpText, PercentDecodingRefusesWhatIsNoHexadecimalPair) {
  EXPECT_EQ(percent_decoded("a%20b%2Fc+d", false), "a b/c+d");
  EXPECT_EQ(percent_decoded("a+b", true), "a b");
  EXPECT_EQ(percent_decoded("%", false), std::nullopt);
  EXPECT_EQ(percent_decoded("%4", false), std::nullopt);
  EXPECT_EQ(percent_decoded("%zz", false), std::nullopt);
}

TEST(HttpText, AQueryKeepsRepeatedNamesAndEqualsSignsInValues) {
  const auto query = parse_query("a=1&b=x=y&a=2&flag&&c=%26");
  ASSERT_TRUE(query);
  EXPECT_EQ(*query, (Fields{{"a", "1"}, {"b", "x=y"}, {"a", "2"}, {"flag", ""}, {"c", "&"}}));
  EXPECT_EQ(find_exactly(*query, "a"), "2");
  EXPECT_EQ(parse_query("a=%"), std::nullopt);
}

TEST(HttpText, ATargetMayNameItsHost) {
  EXPECT_EQ(split_target("/a/b?c=d?e#f").path, "/a/b");
  EXPECT_EQ(split_target("/a/b?c=d?e#f").query, "c=d?e");
  EXPECT_EQ(split_target("http://host:80/a?b").path, "/a");
  EXPECT_EQ(split_target("http://host").path, "/");
  EXPECT_EQ(split_target("http://host?b").query, "b");
  EXPECT_EQ(split_target("/go?to=http://x/y").path, "/go");
}

TEST(HttpEnvelope, TextThatIsNoUtf8StillGivesValidJson) {
  EXPECT_EQ(error_body("a \"b\"\n\xFF"), "{\"success\":false,\"data\":null,\"error\":\"a \\\"b\\\"\\n\xEF\xBF\xBD\"}");
  EXPECT_EQ(success_body("[1]"), R"({"success":true,"data":[1],"error":null})");
}

class HttpRouter : public testing::Test {
 protected:
  void add(std::string_view method, std::string_view pattern) { router_.add(method, pattern, nothing, {}); }
  std::string pattern(std::string_view method, std::string_view path) const {
    const auto match = router_.find(method, path);
    return match.route == nullptr ? "none, allow " + match.allow : match.route->pattern;
  }
  Router router_;
};

TEST_F(HttpRouter, LiteralSegmentsBeatParametersAndThoseBeatWildcards) {
  add("GET", "/*rest");
  add("GET", "/services/:name/traces");
  add("GET", "/services/:name");
  add("GET", "/services/health");
  EXPECT_EQ(pattern("GET", "/services/health"), "/services/health");
  EXPECT_EQ(pattern("GET", "/services/web"), "/services/:name");
  EXPECT_EQ(pattern("GET", "/services/health/traces"), "/services/:name/traces");
  EXPECT_EQ(pattern("GET", "/"), "/*rest");
  EXPECT_EQ(router_.find("GET", "/a/b%20c").parameters, (Fields{{"rest", "a/b c"}}));
}

TEST_F(HttpRouter, AnEncodedSlashStaysInsideItsParameter) {
  add("GET", "/audit/:variable");
  EXPECT_EQ(router_.find("GET", "/audit/a%2Fb").parameters, (Fields{{"variable", "a/b"}}));
  EXPECT_EQ(pattern("GET", "/audit/"), "none, allow ");
  EXPECT_EQ(pattern("GET", "/audit/x/"), "none, allow ");
  EXPECT_EQ(pattern("GET", "/audit/%zz"), "none, allow ");
  EXPECT_EQ(pattern("GET", "audit/x"), "none, allow ");
}

TEST_F(HttpRouter, AWrongMethodIsNamedAlsoBesideAWildcard) {
  add("POST", "/events");
  add("GET", "/*file");
  EXPECT_EQ(pattern("GET", "/events"), "none, allow POST");
  EXPECT_EQ(pattern("DELETE", "/page"), "none, allow GET, HEAD");
  EXPECT_EQ(pattern("HEAD", "/page"), "/*file");
}

TEST_F(HttpRouter, ARouteCannotBeGivenTwice) {
  add("GET", "/a");
  add("POST", "/a");
  EXPECT_THROW(add("GET", "/a"), std::logic_error);
  EXPECT_THROW(add("GET", "a"), std::logic_error);
  EXPECT_THROW(add("GET", "/*a/b"), std::logic_error);
}

TEST(HttpKeyRing, FindsKeysInBothHeadersWithTheSchemeInAnyCase) {
  const KeyRing keys({"first-key", "second%20key"});
  EXPECT_EQ(keys.find({{"Authorization", "Bearer first-key"}}), 0U);
  EXPECT_EQ(keys.find({{"authorization", "bEARER   second%20key"}}), 1U);
  EXPECT_EQ(keys.find({{"X-Raceway-Key", "second%20key"}}), 1U);
  EXPECT_EQ(keys.find({{"Authorization", "Basic Zm9v"}, {"X-Raceway-Key", "first-key"}}), 0U);
}

TEST(HttpKeyRing, RefusesEverythingElse) {
  const KeyRing keys({"first-key"});
  EXPECT_EQ(keys.find({}), std::nullopt);
  EXPECT_EQ(keys.find({{"Authorization", "first-key"}}), std::nullopt);
  EXPECT_EQ(keys.find({{"Authorization", "Bearer "}}), std::nullopt);
  EXPECT_EQ(keys.find({{"Authorization", "Bearer first-ke"}}), std::nullopt);
  EXPECT_EQ(keys.find({{"Authorization", "Bearer first-key2"}}), std::nullopt);
  EXPECT_EQ(keys.find({{"Authorization", "Bearer wrong"}, {"X-Raceway-Key", "first-key"}}), std::nullopt);
  EXPECT_EQ(KeyRing({}).find({{"X-Raceway-Key", ""}}), std::nullopt);
  EXPECT_THROW(KeyRing({"a", ""}), std::invalid_argument);
}

class HttpRateLimiter : public testing::Test {
 protected:
  static RateLimit per_minute(std::uint32_t requests) {
    RateLimit limit;
    limit.enabled = true;
    limit.requests_per_minute = requests;
    return limit;
  }
  const RateLimiter::Time start_ = RateLimiter::Time(std::chrono::hours(1));
};

TEST_F(HttpRateLimiter, LetsABurstThroughThenTheSteadyRate) {
  RateLimiter limiter(per_minute(60));
  for (int i = 0; i < 60; ++i) EXPECT_EQ(limiter.admit("a", start_), std::nullopt);
  EXPECT_EQ(limiter.admit("a", start_), std::chrono::seconds(1));
  EXPECT_EQ(limiter.admit("a", start_ + std::chrono::milliseconds(1001)), std::nullopt);
  EXPECT_EQ(limiter.admit("a", start_ + std::chrono::milliseconds(1002)), std::chrono::seconds(1));
  EXPECT_EQ(limiter.admit("b", start_), std::nullopt) << "another client has its own bucket";
}

TEST_F(HttpRateLimiter, SaysHowLongToWait) {
  RateLimiter limiter(per_minute(2));
  limiter.admit("a", start_);
  limiter.admit("a", start_);
  EXPECT_EQ(limiter.admit("a", start_), std::chrono::seconds(30));
}

TEST_F(HttpRateLimiter, ForgetsTheClientSeenLongestAgo) {
  auto limit = per_minute(1);
  limit.max_clients = 2;
  RateLimiter limiter(limit);
  limiter.admit("a", start_);
  limiter.admit("b", start_);
  EXPECT_TRUE(limiter.admit("a", start_)) << "remembered, and now seen after b";
  EXPECT_FALSE(limiter.admit("c", start_)) << "takes the place of b";
  EXPECT_TRUE(limiter.admit("a", start_));
  EXPECT_FALSE(limiter.admit("b", start_)) << "was forgotten";
}

TEST(HttpContent, TypesOfJson) {
  for (const auto* type :
       {"application/json", "Application/JSON; charset=utf-8", "application/vnd.raceway+json", " application/json "})
    EXPECT_TRUE(is_json_type(type)) << type;
  for (const auto* type : {"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain",
                           "application/jsonx", "+json", "text/plain; a=application/json", ""})
    EXPECT_FALSE(is_json_type(type)) << type;
}

TEST(HttpContent, DecompressesPieceByPiece) {
  const std::string text(100000, 'x');
  const auto compressed = test::gzipped(text) + test::gzipped("tail");
  std::string out;
  BodySink sink(Encoding::compressed, 1 << 20, out);
  for (const char c : compressed) ASSERT_EQ(sink.append(std::string_view(&c, 1)), BodySink::Result::ok);
  EXPECT_EQ(sink.finish(), BodySink::Result::ok);
  EXPECT_EQ(out, text + "tail");
}

TEST(HttpContent, ReadsBothMeaningsOfDeflate) {
  for (const int bits : {MAX_WBITS, -MAX_WBITS}) {
    z_stream stream{};
    ASSERT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string text = R"({"events":[]})";
    char compressed[200];
    stream.next_in = reinterpret_cast<Bytef*>(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(compressed);
    stream.avail_out = sizeof compressed;
    ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    std::string out;
    BodySink sink(Encoding::compressed, 100, out);
    EXPECT_EQ(sink.append(std::string_view(compressed, stream.total_out)), BodySink::Result::ok) << bits;
    EXPECT_EQ(sink.finish(), BodySink::Result::ok) << bits;
    EXPECT_EQ(out, text);
    deflateEnd(&stream);
  }
}

TEST(HttpContent, ABombIsCutAtTheLimitAndNeverHeld) {
  const auto bomb = test::gzipped(std::string(50 << 20, '\0'));
  std::string out;
  BodySink sink(Encoding::compressed, 100000, out);
  EXPECT_EQ(sink.append(bomb), BodySink::Result::too_large);
  EXPECT_LE(out.capacity(), 200000U);
}

TEST(HttpContent, WhatInflatesTooMuchIsCutBeyondTheFirstMegabyte) {
  const std::string small(BodySink::free_inflation, 'x');
  std::string out;
  BodySink fits(Encoding::compressed, 50 << 20, out, 100);
  EXPECT_EQ(fits.append(test::gzipped(small)), BodySink::Result::ok);
  EXPECT_EQ(out, small);
  std::string bomb;
  BodySink sink(Encoding::compressed, 50 << 20, bomb, 100);
  EXPECT_EQ(sink.append(test::gzipped(std::string(50 << 20, 'x'))), BodySink::Result::too_inflated);
  EXPECT_LE(bomb.capacity(), 8U << 20U);
}

TEST(HttpContent, AsksForRoomBeforeItTakesIt) {
  std::string out;
  std::size_t asked = 0;
  BodySink sink(Encoding::compressed, 50 << 20, out, 10'000,
                [&](std::size_t bytes) { asked = std::max(asked, bytes); });
  EXPECT_EQ(sink.append(test::gzipped(std::string(5 << 20, 'x'))), BodySink::Result::ok);
  EXPECT_GE(asked, out.capacity());
  std::string other;
  BodySink refused(Encoding::compressed, 50 << 20, other, 10'000, [](std::size_t bytes) {
    if (bytes > 1 << 20) throw std::runtime_error("no room");
  });
  EXPECT_THROW(refused.append(test::gzipped(std::string(5 << 20, 'x'))), std::runtime_error);
  EXPECT_LE(other.capacity(), 1U << 20U);
}

TEST(HttpContent, TheLimitItselfIsAllowed) {
  std::string out;
  BodySink sink(Encoding::identity, 5, out);
  EXPECT_EQ(sink.append("abc"), BodySink::Result::ok);
  EXPECT_EQ(sink.append("de"), BodySink::Result::ok);
  EXPECT_EQ(sink.append("f"), BodySink::Result::too_large);
}

TEST(HttpContent, CutAndCorruptCompressionIsFound) {
  const auto whole = test::gzipped("some text that is long enough");
  std::string out;
  BodySink cut(Encoding::compressed, 100, out);
  EXPECT_EQ(cut.append(whole.substr(0, whole.size() - 3)), BodySink::Result::ok);
  EXPECT_EQ(cut.finish(), BodySink::Result::corrupt);
  auto wrong = whole;
  wrong[wrong.size() - 5] ^= 1;  // in the checksum
  std::string other;
  BodySink corrupt(Encoding::compressed, 100, other);
  EXPECT_EQ(corrupt.append(wrong), BodySink::Result::corrupt);
  std::string none;
  EXPECT_EQ(BodySink(Encoding::compressed, 100, none).finish(), BodySink::Result::corrupt);
}

TEST(HttpContent, EncodingsByName) {
  EXPECT_EQ(parse_encoding(""), Encoding::identity);
  EXPECT_EQ(parse_encoding("GZIP"), Encoding::compressed);
  EXPECT_EQ(parse_encoding("deflate"), Encoding::compressed);
  EXPECT_EQ(parse_encoding("br"), std::nullopt);
  EXPECT_EQ(parse_encoding("gzip, gzip"), std::nullopt);
}

TEST(HttpCors, AnyOriginIsAnsweredWithAStar) {
  const CorsPolicy policy(Cors{true, {"*"}});
  const auto answer = policy.preflight({{"Origin", "http://a"}, {"Access-Control-Request-Headers", "authorization"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(find_header(answer.headers, "Access-Control-Allow-Methods"), "GET, POST, OPTIONS");
  EXPECT_EQ(find_header(answer.headers, "Access-Control-Allow-Headers"), "authorization");
  Fields headers;
  policy.decorate({}, headers);
  EXPECT_EQ(find_header(headers, "Access-Control-Allow-Origin"), "*");
  EXPECT_FALSE(find_header(headers, "Vary"));
}

TEST(HttpCors, AListEchoesTheOneThatAsksAndNoOther) {
  const CorsPolicy policy(Cors{true, {"http://a", "http://b"}});
  Fields allowed;
  policy.decorate({{"Origin", "http://b"}}, allowed);
  EXPECT_EQ(find_header(allowed, "Access-Control-Allow-Origin"), "http://b");
  EXPECT_EQ(find_header(allowed, "Vary"), "Origin");
  for (const Fields& request : {Fields{{"Origin", "http://c"}}, Fields{}}) {
    EXPECT_TRUE(policy.preflight(request).headers.empty());
    Fields refused;
    policy.decorate(request, refused);
    EXPECT_EQ(refused, (Fields{{"Vary", "Origin"}}));
  }
}

TEST(HttpCors, APortMayBeAny) {
  const CorsPolicy policy(Cors{true, {"http://a:*"}});
  for (const auto* origin : {"http://a", "http://a:1", "http://a:65535"}) EXPECT_TRUE(policy.allows(origin)) << origin;
  for (const auto* origin :
       {"http://ab", "http://a:", "http://a:*", "http://a:1x", "http://a.b:1", "https://a:1", "http://a@b", "null", ""})
    EXPECT_FALSE(policy.allows(origin)) << origin;
  EXPECT_FALSE(policy.allows(std::nullopt));
}

TEST(HttpCors, ByDefaultThePagesOfThisMachineMayCall) {
  const CorsPolicy policy((Cors()));
  for (const auto* origin : {"http://localhost:3000", "https://localhost", "http://127.0.0.1:8080", "https://[::1]:1"})
    EXPECT_TRUE(policy.allows(origin)) << origin;
  for (const auto* origin : {"http://localhost.evil.example", "http://evil.example", "null"})
    EXPECT_FALSE(policy.allows(origin)) << origin;
}

TEST(HttpCors, SwitchedOffItSaysNothing) {
  const CorsPolicy policy(Cors{false, {"*"}});
  Fields headers;
  policy.decorate({{"Origin", "http://a"}}, headers);
  EXPECT_TRUE(headers.empty());
  EXPECT_FALSE(policy.answers("OPTIONS"));
}

}  // namespace
}  // namespace raceway::server::http
