// Where a request ends must have one answer.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/framing.hpp"

namespace raceway::server::http {
namespace {

int status_of(const std::string& head) {
  std::optional<BadHead> bad;
  inspect_head(head, bad);
  return bad ? bad->status : 0;
}

Framing framing_of(const std::string& header_lines, const std::string& version = "1.1") {
  std::optional<BadHead> bad;
  auto framing = inspect_head("POST / HTTP/" + version + "\r\nHost: a\r\n" + header_lines + "\r\n", bad);
  EXPECT_FALSE(bad) << bad->reason;
  return framing;
}

TEST(HttpHead, ItsEndIsFoundHoweverTheBytesCome) {
  const std::string bytes = "GET / HTTP/1.1\r\nA: b\r\n\r\nrest";
  const auto end = bytes.size() - 4;
  std::size_t scanned = 0;
  for (std::size_t size = 0; size < end; ++size)
    ASSERT_EQ(find_head_end(std::string_view(bytes).substr(0, size), scanned), std::nullopt) << size;
  EXPECT_EQ(find_head_end(bytes, scanned), end);
  scanned = 0;
  EXPECT_EQ(find_head_end(bytes, scanned), end);
}

TEST(HttpHead, LinesThatEndInALineFeedAloneAreFoundAndRefused) {
  const std::string bytes = "GET / HTTP/1.1\nA: b\n\n";
  std::size_t scanned = 0;
  EXPECT_EQ(find_head_end(bytes, scanned), bytes.size());
  EXPECT_EQ(status_of(bytes), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nA: b\n\r\n"), 400);
}

TEST(HttpHead, TellsLengthConnectionAndExpectation) {
  const auto framing = framing_of("content-length:  12 \r\nEXPECT: 100-Continue\r\nConnection: x, Close\r\n");
  EXPECT_EQ(framing.content_length, 12U);
  EXPECT_TRUE(framing.expects_continue);
  EXPECT_FALSE(framing.keep_alive);
  EXPECT_TRUE(framing_of("").keep_alive);
  EXPECT_FALSE(framing_of("", "1.0").keep_alive);
  EXPECT_TRUE(framing_of("Connection: Keep-Alive\r\n", "1.0").keep_alive);
  EXPECT_TRUE(framing_of("Transfer-Encoding: Chunked\r\n").chunked);
}

TEST(HttpHead, ItsFieldsAreAsSentAndInOrder) {
  const std::string head =
      "GET /?a:b HTTP/1.1\r\nB: 100%25 \t\r\na:\r\nX-Odd:  one: two\r\nLocation: /a%2Fb\r\nA: 2\r\n\r\n";
  EXPECT_EQ(read_fields(head),
            (Fields{{"B", "100%25"}, {"a", ""}, {"X-Odd", "one: two"}, {"Location", "/a%2Fb"}, {"A", "2"}}));
  EXPECT_TRUE(read_fields("GET / HTTP/1.1\r\n\r\n").empty());
}

TEST(HttpHead, WhatTwoReadersCouldReadDifferentlyIsRefused) {
  const std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (const auto* lines :
       {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1, 1\r\n", "Content-Length: +1\r\n",
        "Content-Length: -1\r\n", "Content-Length: 0x1\r\n", "Content-Length:\r\n", "Content-Length: %31\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Content-Length : 1\r\n", " Content-Length: 1\r\n",
        "A: b\r\n folded\r\n", "no colon\r\n", ": no name\r\n", "A: b\rc\r\n", "A: \x01\r\n"})
    EXPECT_EQ(status_of(start + lines + "\r\n"), 400) << lines;
  EXPECT_EQ(status_of(start + std::string("A: \0\r\n", 6) + "\r\n"), 400);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  for (const auto* coding : {"gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", ""})
    EXPECT_EQ(status_of(start + "Transfer-Encoding: " + coding + "\r\n\r\n"), 501) << coding;
  EXPECT_EQ(status_of(start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 501);
  EXPECT_EQ(status_of(start + "Content-Length: 99999999999999999999999\r\n\r\n"), 413);
  EXPECT_EQ(status_of(start + "Expect: tea\r\n\r\n"), 417);
}

TEST(HttpHead, NamesOneHost) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nhost: a\r\n\r\n"), 0);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHOST: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0) << "there were none yet";
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
}

TEST(HttpHead, OtherVersionsAndNonsenseAreRefused) {
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET /\r\n\r\n"), 400);
  EXPECT_EQ(status_of("\x16\x03\x01\r\n\r\n"), 400);
  EXPECT_EQ(status_of("hello\r\n\r\n"), 400);
}

TEST(HttpHead, HasBounds) {
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  std::string many;
  for (int i = 0; i < 99; ++i) many += "a: b\r\n";
  EXPECT_EQ(status_of(start + many + "\r\n"), 0);
  EXPECT_EQ(status_of(start + many + "a: b\r\n\r\n"), 431);
  EXPECT_EQ(status_of(start + "a: " + std::string(9000, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(status_of("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n\r\n"), 414);
}

struct Decoded {
  BodyDecoder::State state;
  std::string body;
  std::size_t used;
};

Decoded decode(const std::string& bytes, std::size_t piece, const std::string& header_lines) {
  BodyDecoder decoder(framing_of(header_lines));
  Decoded decoded{BodyDecoder::State::more, "", 0};
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    decoded.used += decoder.feed(std::string_view(bytes).substr(at, piece), [&](std::string_view text) {
      decoded.body += text;
      return true;
    });
  }
  decoded.state = decoder.state();
  return decoded;
}

Decoded decode_chunks(const std::string& bytes, std::size_t piece = 1000) {
  return decode(bytes, piece, "Transfer-Encoding: chunked\r\n");
}

TEST(HttpBody, ChunksAreJoinedHoweverTheyCome) {
  const std::string bytes = "3\r\nabc\r\n0A ;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
    const auto decoded = decode_chunks(bytes + "GET", piece);
    EXPECT_EQ(decoded.state, BodyDecoder::State::done) << piece;
    EXPECT_EQ(decoded.body, "abc0123456789");
    EXPECT_EQ(decoded.used, bytes.size()) << "what follows is the next request";
  }
}

TEST(HttpBody, MalformedChunksAreFound) {
  for (const auto* bytes : {"x\r\n", "\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", " 1\r\na\r\n", "1\na\r\n",
                            "1\r\nab\r\n", "1\r\na\n", "1;x\n", "1234567890abcdef\r\n", "0\r\nx\n\r\n"})
    EXPECT_EQ(decode_chunks(bytes).state, BodyDecoder::State::malformed) << bytes;
  EXPECT_EQ(decode_chunks("1;" + std::string(20000, 'x')).state, BodyDecoder::State::malformed);
  EXPECT_EQ(decode_chunks("0\r\n" + std::string(20000, 'x')).state, BodyDecoder::State::malformed);
}

TEST(HttpBody, CutBodiesWantMore) {
  const std::string bytes = "3\r\nabc\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(decode_chunks(bytes.substr(0, size)).state, BodyDecoder::State::more) << size;
}

TEST(HttpBody, ALengthIsKeptExactly) {
  const auto decoded = decode("abcdef", 4, "Content-Length: 5\r\n");
  EXPECT_EQ(decoded.state, BodyDecoder::State::done);
  EXPECT_EQ(decoded.body, "abcde");
  EXPECT_EQ(decoded.used, 5U);
  EXPECT_EQ(decode("", 1, "").state, BodyDecoder::State::done);
}

}  // namespace
}  // namespace raceway::server::http
