// The HTTP door over real sockets: answers, routes, connections.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "heap_count.hpp"
#include "http/envelope.hpp"
#include "http_support.hpp"

namespace raceway::server::http::test {
namespace {

TEST(HttpServer, AnswersAnEnvelopeWithARequestId) {
  TestServer server;
  const auto answer = server.client().ask(get("/ping"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"success":true,"data":"pong","error":null})");
  EXPECT_EQ(answer.header("content-type"), "application/json");
  EXPECT_EQ(answer.header("connection"), "");
  EXPECT_FALSE(answer.header("x-request-id").empty());
}

TEST(HttpServer, EchoesAUsableRequestIdAndReplacesAnother) {
  TestServer server;
  auto client = server.client();
  EXPECT_EQ(client.ask(get("/ping", "X-Request-Id: abc-1\r\n")).header("x-request-id"), "abc-1");
  const auto made = client.ask(get("/ping", "X-Request-Id: a b%0d%0aEvil: 1\r\n")).header("x-request-id");
  EXPECT_EQ(made.find_first_not_of("0123456789abcdef"), std::string::npos) << made;
  ASSERT_TRUE(eventually([&] { return server.access().size() == 2; }));
  EXPECT_EQ(server.access()[0].request_id, "abc-1");
  EXPECT_EQ(server.access()[1].request_id, made);
}

TEST(HttpServer, ServesAThousandRequestsOnOneConnection) {
  TestServer server;
  auto client = server.client();
  for (int i = 0; i < 1000; ++i) {
    const auto answer = client.ask(post("/echo", std::to_string(i)));
    ASSERT_EQ(answer.status, 200) << i;
    ASSERT_EQ(answer.body, success_body("\"" + std::to_string(i) + "\""));
  }
  EXPECT_EQ(server.server().counters().connections_accepted, 1U);
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  auto client = server.client();
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests += post("/echo", std::to_string(i));
    requests += "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n";
    requests += get("/items/" + std::to_string(i));
  }
  ASSERT_TRUE(client.send(requests));
  for (int i = 0; i < 50; ++i) {
    const auto number = success_body("\"" + std::to_string(i) + "\"");
    ASSERT_EQ(client.read().body, number);
    ASSERT_EQ(client.read().body, success_body("\"c\""));
    ASSERT_EQ(client.read().body, number);
  }
}

TEST(HttpServer, ARequestMayComeByteByByte) {
  TestServer server;
  auto client = server.client();
  for (const char c : "\r\n" + post("/echo", "slow")) ASSERT_TRUE(client.send(std::string_view(&c, 1)));
  EXPECT_EQ(client.read().body, success_body("\"slow\""));
}

TEST(HttpServer, EmptyLinesBeforeARequestAreSkippedHoweverTheyCome) {
  TestServer server;
  auto client = server.client();
  for (const auto* bytes : {"\r", "\n", "\r\n\r"}) {
    client.send(bytes);
    std::this_thread::sleep_for(milliseconds(20));  // so that they are read one by one
  }
  EXPECT_EQ(client.ask("\n" + get("/ping")).status, 200);
}

TEST(HttpServer, UnknownPathsAndMethodsAreNamed) {
  TestServer server;
  auto client = server.client();
  const auto missing = client.ask(get("/nowhere"));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, R"({"success":false,"data":null,"error":"Not found: /nowhere"})");
  EXPECT_EQ(client.ask(get("/ping/")).status, 404) << "a trailing slash is another path";
  const auto wrong = client.ask(post("/ping", "x"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "GET, HEAD");
  EXPECT_EQ(client.ask("DELETE /echo HTTP/1.1\r\nHost: localhost\r\n\r\n").header("allow"), "POST");
  EXPECT_EQ(client.ask(get("/ping")).status, 200) << "the connection lives on";
}

TEST(HttpServer, HeadHasTheHeadersOfGetAndNoBody) {
  TestServer server;
  auto client = server.client();
  const auto got = client.ask(get("/ping"));
  client.send("HEAD /ping HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto head = client.read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), got.header("content-length"));
  EXPECT_EQ(client.ask(get("/ping")).status, 200);
}

TEST(HttpServer, DecodesPathAndQueryOnce) {
  std::promise<Request> seen;
  TestServer server(local_options(), [&](Server& to) {
    to.route("GET", "/seen/:name/x", [&](Request& request) {
      seen.set_value(std::move(request));
      return success("1");
    });
  });
  auto client = server.client();
  EXPECT_EQ(client.ask(get("/seen/a%2Fb%2525/x?q=1%2B1+2&q=%C3%A4&url=a?b=c#f", "X-Odd: 100%25\r\n")).status, 200);
  const auto request = seen.get_future().get();
  EXPECT_EQ(request.path_parameter("name"), "a/b%25");
  EXPECT_THROW(request.path_parameter("other"), std::logic_error);
  EXPECT_EQ(request.query, (Fields{{"q", "1+1 2"}, {"q", "ä"}, {"url", "a?b=c"}}));
  EXPECT_EQ(request.header("x-ODD"), "100%25") << "fields are not percent-encoded";
  EXPECT_EQ(request.route, "/seen/:name/x");
  EXPECT_EQ(request.client, "127.0.0.1");
  EXPECT_EQ(client.ask(get("/ping?a=%zz")).status, 400);
}

TEST(HttpServer, RangesAndEncodingsOfferedByTheClientChangeNothing) {
  TestServer server;
  const auto answer =
      server.client().ask(get("/ping", "Range: bytes=0-1\r\nAccept-Encoding: gzip, br\r\nRange: nonsense\r\n"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, success_body("\"pong\""));
}

TEST(HttpServer, AHandlerThatThrowsIsAnInternalErrorWithoutItsText) {
  TestServer server(local_options(), [](Server& to) {
    to.route("GET", "/throw", [](Request&) -> Response { throw std::runtime_error("password=secret"); });
    to.route("GET", "/throw-int", [](Request&) -> Response { throw 1; });
    to.route("GET", "/refuse",
             [](Request&) -> Response { throw Refusal(503, "the database is away", std::chrono::seconds(7)); });
  });
  auto client = server.client();
  const auto thrown = client.ask(get("/throw"));
  EXPECT_EQ(thrown.status, 500);
  EXPECT_NE(thrown.body.find(R"("success":false,"data":null,"error":"Internal error)"), std::string::npos);
  EXPECT_NE(thrown.body.find(thrown.header("x-request-id")), std::string::npos);
  EXPECT_EQ(thrown.body.find("secret"), std::string::npos);
  EXPECT_EQ(client.ask(get("/throw-int")).status, 500);
  const auto refused = client.ask(get("/refuse"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "7");
  EXPECT_EQ(refused.body, error_body("the database is away"));
  ASSERT_TRUE(eventually([&] { return server.failures().size() == 2; }));
  EXPECT_EQ(server.failures()[0], "password=secret");
}

TEST(HttpServer, MalformedRequestsGetTheEnvelopeAndTheConnectionEnds) {
  TestServer server;
  for (const auto* bytes :
       {"hello\r\n\r\n", "GET /ping HTTP/1.1\nHost: x\n\n", "FOO /ping HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /ping HTTP/1.1\r\nno colon\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n"}) {
    auto client = server.client();
    const auto answer = client.ask(bytes);
    EXPECT_EQ(answer.status, 400) << bytes;
    EXPECT_EQ(answer.body.substr(0, 43), R"({"success":false,"data":null,"error":"Bad r)") << bytes;
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_TRUE(client.closed()) << bytes;
  }
}

TEST(HttpServer, TheClientMayEndTheConnectionOrKeepAnOldOne) {
  TestServer server;
  auto closing = server.client();
  EXPECT_EQ(closing.ask(get("/ping", "Connection: Close\r\n")).header("connection"), "close");
  EXPECT_TRUE(closing.closed());
  auto old = server.client();
  EXPECT_EQ(old.ask("GET /ping HTTP/1.0\r\n\r\n").header("connection"), "close");
  EXPECT_TRUE(old.closed());
  auto kept = server.client();
  EXPECT_EQ(kept.ask("GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("connection"), "keep-alive");
  EXPECT_EQ(kept.ask(get("/ping")).status, 200);
  auto eager = server.client();
  eager.send(get("/ping", "Connection: close\r\n") + get("/ping"));
  EXPECT_EQ(eager.read().status, 200) << "not lost although more came";
  EXPECT_TRUE(eager.closed());
  auto half = server.client();
  half.send(get("/ping") + get("/ping"));
  half.finish_sending();
  EXPECT_EQ(half.read().status, 200);
  EXPECT_EQ(half.read().status, 200) << "what was asked before the end is answered";
  EXPECT_TRUE(half.closed());
}

TEST(HttpServer, TheAccessHookSeesEachRequestOnce) {
  TestServer server;
  auto client = server.client();
  client.ask(post("/echo?key=1", "12345"));
  client.ask(get("/items/7"));
  client.ask("nonsense\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return server.access().size() == 3; }));
  const auto lines = server.access();
  EXPECT_EQ(lines[0].method, "POST");
  EXPECT_EQ(lines[0].path, "/echo");
  EXPECT_EQ(lines[0].received_bytes, 5U);
  EXPECT_GT(lines[0].sent_bytes, 50U);
  EXPECT_TRUE(lines[0].complete);
  EXPECT_EQ(lines[0].client, "127.0.0.1");
  EXPECT_EQ(lines[1].path, "/items/7");
  EXPECT_EQ(lines[1].route, "/items/:id");
  EXPECT_EQ(lines[2].method, "");
  EXPECT_EQ(lines[2].status, 400);
  EXPECT_FALSE(lines[2].request_id.empty());
}

TEST(HttpServer, BigAnswersArriveWhole) {
  const std::string big(20 << 20, 'x');
  TestServer server(local_options(), [&](Server& to) {
    to.route("GET", "/big", [&](Request&) {
      Response response;
      response.body = big;
      response.content_type = "text/plain";
      return response;
    });
  });
  auto client = server.client();
  const auto answer = client.ask(get("/big"));
  EXPECT_EQ(answer.header("content-type"), "text/plain");
  EXPECT_TRUE(answer.body == big);
  EXPECT_EQ(client.ask(get("/ping")).status, 200);
}

TEST(HttpServer, APortInUseIsNamed) {
  TestServer server;
  auto options = local_options();
  options.port = server.port();
  Server second(options);
  try {
    second.bind();
    FAIL() << "bound twice";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:" + std::to_string(server.port())), std::string::npos);
  }
}

class HttpStream : public testing::Test {
 protected:
  static void add_routes(Server& to) {
    to.route("GET", "/whole", [](Request&) {
      Response response;
      response.stream = [](const Write& write) {
        for (int i = 0; i < 100000; ++i)
          if (!write("0123456789")) return false;
        return true;
      };
      return response;
    });
    to.route("GET", "/cut", [](Request&) {
      Response response;
      response.stream = [](const Write& write) {
        write(std::string(100000, 'x'));
        return false;
      };
      return response;
    });
    to.route("GET", "/thrown", [](Request&) {
      Response response;
      response.stream = [](const Write& write) -> bool {
        write("half");
        throw std::runtime_error("the database went away");
      };
      return response;
    });
  }
  TestServer server_{local_options(), add_routes};
};

TEST_F(HttpStream, ArrivesWholeAndTheConnectionLivesOn) {
  auto client = server_.client();
  const auto answer = client.ask(get("/whole"));
  EXPECT_EQ(answer.header("transfer-encoding"), "chunked");
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body.size(), 1000000U);
  EXPECT_EQ(client.ask(get("/ping")).status, 200);
}

TEST_F(HttpStream, IsCutWithoutItsLastChunkWhereItIsNotWhole) {
  for (const auto* path : {"/cut", "/thrown"}) {
    auto client = server_.client();
    EXPECT_FALSE(client.ask(get(path)).complete) << path;
  }
  ASSERT_TRUE(eventually([&] { return server_.access().size() == 2; }));
  for (const auto& line : server_.access()) EXPECT_FALSE(line.complete) << line.path;
  EXPECT_EQ(server_.failures(), std::vector<std::string>{"the database went away"});
}

TEST_F(HttpStream, IsNotProducedForHead) {
  auto client = server_.client();
  client.send("HEAD /thrown HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read(true).status, 200);
  EXPECT_EQ(client.ask(get("/ping")).status, 200);
  EXPECT_TRUE(server_.failures().empty());
}

TEST_F(HttpStream, EndsWithTheConnectionForOldClients) {
  const auto answer = server_.client().ask("GET /whole HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.header("transfer-encoding"), "");
  EXPECT_EQ(answer.body.size(), 1000000U);
}

TEST(HttpStop, LetsARunningRequestFinishAndClosesIdleConnections) {
  std::promise<void> entered;
  std::promise<void> go_on;
  TestServer server(local_options(), [&](Server& to) {
    to.route("GET", "/slow", [&](Request&) {
      entered.set_value();
      go_on.get_future().wait();
      return success("\"done\"");
    });
  });
  auto idle = server.client();
  ASSERT_EQ(idle.ask(get("/ping")).status, 200);
  auto fresh = server.client();
  auto running = server.client();
  running.send(get("/slow"));
  entered.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { server.stop(); });
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(fresh.closed());
  EXPECT_EQ(stopped.wait_for(milliseconds(50)), std::future_status::timeout) << "waits for the running request";
  EXPECT_THROW(server.client(), std::runtime_error) << "takes no new connections";
  go_on.set_value();
  const auto answer = running.read();
  EXPECT_EQ(answer.body, success_body("\"done\""));
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(running.closed());
  EXPECT_EQ(stopped.wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(HttpStop, WaitsNoLongerThanTheDrainTimeoutForAClient) {
  auto options = local_options();
  options.limits.drain_timeout = milliseconds(200);
  TestServer server(options);
  auto sender = server.client();
  sender.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf");
  ASSERT_TRUE(eventually([&] { return server.server().counters().connections == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  server.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_TRUE(sender.closed());
}

TEST(HttpStop, ARequestOnItsWayIsStillTaken) {
  TestServer server;
  auto sender = server.client();
  sender.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nha");
  ASSERT_TRUE(eventually([&] { return server.server().counters().connections == 1; }));
  auto stopped = std::async(std::launch::async, [&] { server.stop(); });
  ASSERT_TRUE(eventually([&] {
    try {
      server.client();
      return false;
    } catch (const std::runtime_error&) {
      return true;
    }
  }));
  sender.send("lf");
  EXPECT_EQ(sender.read().body, success_body("\"half\""));
}

TEST(HttpServer, MemoryThatIsNotToBeHadCostsOneClientItsConnection) {
  if (!raceway::test::heap_is_counted()) GTEST_SKIP();
  TestServer server;
  auto other = server.client();
  EXPECT_EQ(other.ask(get("/ping")).status, 200);
  auto large = server.client();
  const auto part =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n" + std::string(50'000, 'x');
  {
    const raceway::test::ScarceHeap scarce(30'000);
    large.send(part);
    EXPECT_TRUE(large.closed());
    EXPECT_EQ(other.ask(get("/ping")).status, 200);
  }
  ASSERT_TRUE(eventually([&] { return server.failures().size() == 1; }));
  EXPECT_EQ(server.client().ask(post("/echo", std::string(60'000, 'x'))).status, 200);
}

TEST(HttpServer, AHookThatThrowsInTheDoorsOwnThreadDoesNotEndIt) {
  Hooks hooks;
  std::atomic<int> told{0};
  hooks.access = [](const Access& access) {
    if (access.status == 400) throw std::bad_alloc();
  };
  hooks.failure = [&](std::string_view, std::string_view) { ++told; };
  Server server(local_options(), hooks);
  const auto port = server.bind();
  std::thread running([&] { server.run(); });
  RawClient(port).ask("nonsense\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return told == 1; }));
  EXPECT_EQ(RawClient(port).ask(get("/nowhere")).status, 404);
  server.stop();
  running.join();
}

TEST(HttpStop, BeforeRunningItIsNotForgotten) {
  Server server(local_options());
  server.bind();
  server.stop();
  server.run();
}

}  // namespace
}  // namespace raceway::server::http::test
