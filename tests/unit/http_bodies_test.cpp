// Request bodies over real sockets: sizes, encodings, types, ends.
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "http/envelope.hpp"
#include "http_support.hpp"

namespace raceway::server::http::test {
namespace {

Options body_limit(std::size_t bytes) {
  auto options = local_options();
  options.limits.max_body_bytes = bytes;
  return options;
}

TEST(HttpBodies, GzipAndDeflateAreDecompressed) {
  TestServer server;
  auto client = server.client();
  const std::string text(300000, 'z');
  EXPECT_EQ(client.ask(post("/echo", gzipped(text), "Content-Encoding: gzip\r\n")).body,
            success_body("\"" + text + "\""));
  const auto wrong = client.ask(post("/echo", "no gzip", "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.body.find("decompress"), std::string::npos);
}

TEST(HttpBodies, AGzipBombIsCutOff) {
  TestServer server(body_limit(1 << 20));
  auto client = server.client();
  const auto answer = client.ask(post("/echo", gzipped(std::string(100 << 20, ' ')), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST(HttpBodies, TooLargeIsToldBeforeTheBodyIsRead) {
  TestServer server(body_limit(1000));
  EXPECT_EQ(server.client().ask(post("/echo", std::string(1000, 'x'))).status, 200);
  auto client = server.client();
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n");
  const auto answer = client.read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, error_body("The body has 100000000 bytes; the limit is 1000 bytes"));
  EXPECT_TRUE(client.closed());
}

TEST(HttpBodies, AClientThatGoesOnSendingStillReadsItsRefusal) {
  TestServer server(body_limit(1000));
  auto client = server.client();
  const std::string body(8 << 20, 'x');
  client.send(post("/echo", body));
  EXPECT_EQ(client.read().status, 413);
}

TEST(HttpBodies, ThatNobodyWantsLeaveTheConnectionToTheNextRequest) {
  TestServer server;
  auto client = server.client();
  for (const std::size_t size : {100U, 20'000U, 60'000U}) {
    const auto answer = client.ask(post("/nowhere", std::string(size, 'x')));
    EXPECT_EQ(answer.status, 404) << size;
    EXPECT_NE(answer.header("connection"), "close") << size;
    EXPECT_EQ(client.ask(get("/ping")).status, 200) << size;
  }
}

TEST(HttpBodies, OfAnySizeFollowEachOtherOnAConnection) {
  TestServer server;
  auto client = server.client();
  for (const std::size_t size : {300'000U, 1U, 16'384U, 140'000U, 65'536U, 2U}) {
    const std::string body(size, static_cast<char>('a' + size % 7));
    client.send(post("/echo", body) + get("/ping"));
    EXPECT_EQ(client.read().body, success_body("\"" + body + "\"")) << size;
    EXPECT_EQ(client.read().status, 200) << size;
  }
}

TEST(HttpBodies, ChunksCountTowardsTheLimitToo) {
  TestServer server(body_limit(200000));
  auto client = server.client();
  const std::string chunk = "186a0\r\n" + std::string(100000, 'x') + "\r\n";
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(client.ask(head + chunk + chunk + "0\r\n\r\n").status, 200);
  EXPECT_EQ(client.ask(head + chunk + chunk + chunk + "0\r\n\r\n").status, 413);
}

TEST(HttpBodies, ALargeChunkedUploadArrivesWhole) {
  TestServer server;
  auto client = server.client();
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string sent;
  for (int i = 0; i < 300; ++i) {
    const std::string piece(4096, static_cast<char>('a' + i % 26));
    client.send("1000;n=" + std::to_string(i) + "\r\n" + piece + "\r\n");
    sent += piece;
  }
  EXPECT_EQ(client.ask("0\r\nTrailer: x\r\n\r\n").body, success_body("\"" + sent + "\""));
  EXPECT_EQ(client.ask(get("/ping")).status, 200);
}

TEST(HttpBodies, MalformedChunksEndTheConnection) {
  TestServer server;
  auto client = server.client();
  EXPECT_EQ(
      client.ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n").status,
      400);
  EXPECT_TRUE(client.closed());
}

TEST(HttpBodies, WithoutALengthABodyIsEmpty) {
  TestServer server;
  EXPECT_EQ(server.client().ask("POST /echo HTTP/1.1\r\nHost: localhost\r\n\r\n").body, success_body("\"\""));
}

TEST(HttpBodies, ALongerBodyThanAnnouncedIsNoPartOfTheRequest) {
  TestServer server;
  auto client = server.client();
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok and more\r\n\r\n");
  EXPECT_EQ(client.read().body, success_body("\"ok\""));
  EXPECT_EQ(client.read().status, 400);
  EXPECT_TRUE(client.closed());
}

TEST(HttpBodies, ATruncatedBodyReachesNoHandler) {
  std::atomic<int> calls{0};
  TestServer server(local_options(), [&](Server& to) {
    to.route("POST", "/count", [&](Request&) {
      ++calls;
      return success("1");
    });
  });
  for (const std::string start :
       {"POST /count HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n"}) {
    for (const std::size_t size : {10U, 90000U}) {  // less and more than a thread is taken for
      auto client = server.client();
      client.send(start + std::string(size, 'x'));
      client.finish_sending();
      EXPECT_EQ(client.read().status, 0);
    }
  }
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(server.client().ask(get("/ping")).status, 200);
}

TEST(HttpBodies, OtherContentTypesAreRefusedWithAHint) {
  TestServer server;
  for (const std::string type :
       {"application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"}) {
    auto client = server.client();
    const auto answer = client.ask(post("/echo", "{}", "Content-Type: " + type + "\r\n"));
    EXPECT_EQ(answer.status, 415) << type;
    EXPECT_EQ(answer.body, error_body("Content-Type is " + type + "; send Content-Type: application/json"));
    EXPECT_EQ(client.ask(get("/ping")).status, 200) << "its small body was skipped";
  }
  EXPECT_EQ(server.client().ask(post("/echo", "{}", "Content-Type: application/json; charset=utf-8\r\n")).status, 200);
  EXPECT_EQ(server.client().ask(post("/echo", "{}", "Content-Encoding: br\r\n")).status, 415);
}

TEST(HttpBodies, ABodyNobodyWantsIsSkippedOrEndsTheConnection) {
  TestServer server;
  auto small = server.client();
  EXPECT_EQ(small.ask("GET /ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nGET /").status, 200);
  EXPECT_EQ(small.ask(get("/ping")).status, 200);
  auto large = server.client();
  large.send("GET /ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + std::string(70000, 'x'));
  const auto answer = large.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST(HttpBodies, ExpectContinueIsAnsweredBeforeTheBody) {
  TestServer server(body_limit(1000));
  auto client = server.client();
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  EXPECT_EQ(client.ask("body").body, success_body("\"body\""));
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 413) << "without a 100 first";
}

}  // namespace
}  // namespace raceway::server::http::test
