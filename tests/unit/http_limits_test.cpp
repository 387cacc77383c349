// What one client cannot do to the others: slowness and numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "http/envelope.hpp"
#include "http_support.hpp"

namespace raceway::server::http::test {
namespace {

/// A handler that holds its thread until it is let go.
class Gate {
 public:
  Handler handler() {
    return [this](Request&) {
      std::unique_lock lock(mutex_);
      ++inside_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
      return success("1");
    };
  }
  void wait_inside(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ >= count; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool open_ = false;
};

TEST(HttpCrowds, FiveHundredIdleConnectionsDelayNobody) {
  auto options = local_options();
  options.limits.threads = 4;
  TestServer server(options);
  std::vector<RawClient> idle;
  for (int i = 0; i < 500; ++i) {
    idle.push_back(server.client());
    if (i % 2 == 0) {
      ASSERT_EQ(idle.back().ask(get("/ping")).status, 200);
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(server.client().ask(post("/echo", "x")).status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  for (auto& client : idle) ASSERT_EQ(client.ask(get("/ping")).status, 200) << "each still works";
}

TEST(HttpCrowds, SlowSendersHoldNoThread) {
  auto options = local_options();
  options.limits.threads = 4;
  TestServer server(options);
  std::vector<RawClient> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(server.client());
    slow.back().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Le");
    slow.push_back(server.client());
    slow.back().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" +
                     std::string(50000, 'x'));
  }
  for (int i = 0; i < 100; ++i) ASSERT_EQ(server.client().ask(post("/echo", "x")).status, 200);
  for (int i = 0; i < 100; ++i) slow[static_cast<std::size_t>(i)].send(i % 2 == 0 ? "ngth: 1\r\n\r\ny" : "more");
  EXPECT_EQ(slow[0].read().body, success_body("\"y\"")) << "slow, and served in the end";
}

const std::string waits_for_leave =
    "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n";

TEST(HttpCrowds, UploadsThatWaitForLeaveAndSendNothingHoldNothing) {
  auto options = local_options();
  options.limits.threads = 2;
  TestServer server(options);
  std::vector<RawClient> silent;
  for (int i = 0; i < 50; ++i) {
    silent.push_back(server.client());
    EXPECT_EQ(silent.back().ask(waits_for_leave).status, 100) << i;
  }
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(server.client().ask(post("/echo", large)).body.size(), success_body("\"\"").size() + large.size());
  EXPECT_EQ(server.server().counters().requests_refused, 0U);
  EXPECT_TRUE(eventually([&] { return server.server().counters().requests_running == 0; }));
  silent[7].send(std::string(1'000'000, 'y'));
  EXPECT_EQ(silent[7].read().status, 200) << "and each is still served";
}

TEST(HttpCrowds, UploadsThatStopInTheMiddleHoldNoThread) {
  auto options = local_options();
  options.limits.threads = 4;  // two uploads may hold more than a little
  TestServer server(options);
  std::vector<RawClient> stopped;
  for (int i = 0; i < 2; ++i) {
    stopped.push_back(server.client());
    stopped.back().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" +
                        std::string(500'000, 'x'));
  }
  for (int i = 0; i < 20; ++i) ASSERT_EQ(server.client().ask(post("/echo", std::string(60'000, 'x'))).status, 200);
  EXPECT_TRUE(eventually([&] { return server.server().counters().requests_running == 0; }));
  for (auto& client : stopped) {
    client.send(std::string(500'000, 'y'));
    EXPECT_EQ(client.read().status, 200);
  }
}

TEST(HttpCrowds, OneClientHasItsShareOfLargeUploads) {
  auto options = local_options();
  options.limits.threads = 16;  // 8 uploads
  options.trusted_proxies = {"1"};
  TestServer server(options);
  std::vector<RawClient> stopped;
  const auto upload = [&](const std::string& from) {
    stopped.push_back(server.client());
    stopped.back().send("POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: " + from +
                        "\r\nContent-Length: 1000000\r\n\r\n" + std::string(100'000, 'x'));
  };
  for (int i = 0; i < 3; ++i) upload("192.0.2.1");
  ASSERT_TRUE(eventually([&] { return server.server().counters().requests_refused == 1; })) << "two are a quarter";
  std::vector<int> statuses;
  for (auto& client : stopped) statuses.push_back(client.read(false, milliseconds(200)).status);
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 503), 1);
  upload("192.0.2.2");
  stopped.back().send(std::string(900'000, 'x'));
  EXPECT_EQ(stopped.back().read().status, 200);
}

TEST(HttpCrowds, DownloadsLeaveThreeQuartersOfTheThreads) {
  auto options = local_options();
  options.limits.threads = 4;
  std::promise<void> entered;
  std::promise<void> go_on;
  TestServer server(options, [&](Server& to) {
    to.route("GET", "/stream", [&](Request&) {
      Response response;
      response.stream = [&](const Write& write) {
        entered.set_value();
        go_on.get_future().wait();
        return write("x");
      };
      return response;
    });
  });
  auto first = server.client();
  first.send(get("/stream"));
  entered.get_future().wait();
  const auto refused = server.client().ask(get("/stream"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "5");
  go_on.set_value();
  EXPECT_EQ(first.read().body, "x");
}

TEST(HttpCrowds, RequestsBeyondThreadsAndQueueAreToldToComeAgain) {
  auto options = local_options();
  options.limits.threads = 2;
  options.limits.queue = 1;
  Gate gate;
  TestServer server(options, [&](Server& to) { to.route("GET", "/gate", gate.handler()); });
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.client());
    clients.back().send(get("/gate"));
    if (i == 1) gate.wait_inside(2);
  }
  ASSERT_TRUE(eventually([&] { return server.server().counters().requests_queued == 1; }));
  EXPECT_EQ(server.server().counters().requests_running, 2U);
  auto fourth = server.client();
  const auto refused = fourth.ask(get("/gate"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_TRUE(fourth.closed());
  gate.open();
  for (auto& client : clients) EXPECT_EQ(client.read().status, 200) << "the one in the queue too";
}

TEST(HttpCrowds, BeyondTheLimitTheOneThatIdlesLongestGoes) {
  auto options = local_options();
  options.limits.max_connections = 3;
  TestServer server(options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.client());
    ASSERT_EQ(clients.back().ask(get("/ping")).status, 200);
  }
  ASSERT_EQ(clients[0].ask(get("/ping")).status, 200) << "the second idles longest now";
  EXPECT_EQ(server.client().ask(get("/ping")).status, 200);
  EXPECT_TRUE(clients[1].closed());
  EXPECT_EQ(clients[0].ask(get("/ping")).status, 200);
  EXPECT_EQ(server.server().counters().connections_replaced, 1U);
  EXPECT_EQ(server.server().counters().connections_refused, 0U);
}

TEST(HttpCrowds, ConnectionsBeyondTheLimitAreToldToComeAgainWhereNoneIdles) {
  auto options = local_options();
  options.limits.max_connections = 3;
  TestServer server(options);
  std::vector<RawClient> busy;
  for (int i = 0; i < 3; ++i) {
    busy.push_back(server.client());
    busy.back().send("GET /ping HTTP/1.1\r\nHost: ");
  }
  ASSERT_TRUE(eventually([&] { return server.server().counters().connections == 3; }));
  auto fourth = server.client();
  const auto refused = fourth.read();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_TRUE(fourth.closed());
  server.client().read();
  EXPECT_EQ(server.server().counters().connections_refused, 2U);
  ASSERT_EQ(server.notices().size(), 1U) << "once a minute";
  EXPECT_NE(server.notices()[0].find("server.max_connections"), std::string::npos);
  busy[0].send("localhost\r\n\r\n");
  EXPECT_EQ(busy[0].read().status, 200);
  EXPECT_TRUE(eventually([&] { return server.client().ask(get("/ping")).status == 200; }))
      << "in the place of the one that idles now";
}

TEST(HttpCrowds, OneClientHasItsShareOfConnections) {
  auto options = local_options();
  options.limits.max_connections = 100;
  options.limits.connections_per_address = 2;
  TestServer server(options);
  std::vector<RawClient> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(server.client());
    busy.back().send("GET /ping HTTP/1.1\r\nHost: ");
  }
  ASSERT_TRUE(eventually([&] { return server.server().counters().connections == 2; }));
  auto third = server.client();
  const auto refused = third.read();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_EQ(server.server().counters().connections_over_share, 1U);
  EXPECT_NE(server.notices().at(0).find("max_connections_per_address"), std::string::npos);
  busy[0].send("localhost\r\n\r\n");
  EXPECT_EQ(busy[0].read().status, 200);
  EXPECT_TRUE(eventually([&] { return server.client().ask(get("/ping")).status == 200; }));
  EXPECT_TRUE(busy[0].closed()) << "its own idle one went for it";
}

TEST(HttpCrowds, WithoutALimitOfItsOwnThisMachineAndProxiesHaveAll) {
  auto options = local_options();
  options.limits.max_connections = 8;
  TestServer own(options);
  options.limits.connections_per_address = 1;
  options.trusted_proxies = {"127.0.0.1"};
  TestServer proxied(options);
  for (auto* server : {&own, &proxied}) {
    std::vector<RawClient> clients;
    for (int i = 0; i < 8; ++i) {
      clients.push_back(server->client());
      ASSERT_EQ(clients.back().ask(get("/ping")).status, 200);
    }
    EXPECT_EQ(server->server().counters().connections_replaced, 0U);
  }
}

TEST(HttpCrowds, ConnectionsThatAreDoneCountAndGoFirst) {
  auto options = local_options();
  options.limits.max_connections = 2;
  TestServer server(options);
  std::vector<RawClient> done;
  for (int i = 0; i < 2; ++i) {
    done.push_back(server.client());
    EXPECT_EQ(done.back().ask("nonsense\r\n\r\n").status, 400);
  }
  EXPECT_EQ(server.client().ask(get("/ping")).status, 200);
  EXPECT_EQ(server.server().counters().connections_replaced, 1U);
}

Options short_timeouts() {
  auto options = local_options();
  options.limits.keep_alive = milliseconds(300);
  options.limits.read_timeout = milliseconds(300);
  options.limits.request_timeout = milliseconds(600);
  options.limits.write_timeout = milliseconds(300);
  return options;
}

/// Sends a byte every 50 ms until the server answers or ends the connection.
Answer drip(RawClient& client, int most = 200) {
  for (int i = 0; i < most; ++i) {
    if (auto answer = client.read(false, milliseconds(50)); answer.status != 0) return answer;
    if (!client.send("x")) break;
  }
  return {};
}

TEST(HttpTimeouts, ASlowHeadIsCutAtTheRequestsDeadline) {
  TestServer server(short_timeouts());
  auto slow = server.client();
  slow.send("GET /ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  auto dripping = std::async(std::launch::async, [&] { return drip(slow); });
  while (dripping.wait_for(milliseconds(20)) != std::future_status::ready)
    ASSERT_EQ(server.client().ask(get("/ping")).status, 200) << "others are served meanwhile";
  const auto answer = dripping.get();
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(server.server().counters().timeouts, 1U);
}

TEST(HttpTimeouts, ASlowBodyIsCutAtTheRequestsDeadline) {
  TestServer server(short_timeouts());
  for (const std::size_t before : {10U, 90000U}) {  // less and more than a thread is taken for
    auto slow = server.client();
    slow.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + std::string(before, 'x'));
    EXPECT_EQ(drip(slow).status, 408) << before;
  }
  EXPECT_EQ(server.server().counters().timeouts, 2U);
}

TEST(HttpTimeouts, ASenderThatStopsIsCutEarlier) {
  auto options = short_timeouts();
  options.limits.request_timeout = std::chrono::minutes(10);
  TestServer server(options);
  for (const std::size_t before : {10U, 90000U}) {
    auto stopped = server.client();
    stopped.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + std::string(before, 'x'));
    EXPECT_EQ(stopped.read().status, 408) << before;
  }
}

TEST(HttpTimeouts, ABodyThatComesTooSlowlyIsCutThoughItNeverStops) {
  auto options = local_options();
  options.limits.rate_window = milliseconds(200);
  options.limits.least_sent = 1'000'000;
  TestServer server(options);
  for (const std::size_t before : {10U, 90000U}) {
    auto slow = server.client();
    slow.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n" + std::string(before, 'x'));
    const auto answer = drip(slow);
    EXPECT_EQ(answer.status, 408) << before;
    EXPECT_EQ(answer.header("connection"), "close");
  }
  auto silent = server.client();
  EXPECT_EQ(silent.ask(waits_for_leave).status, 100);
  EXPECT_EQ(silent.read().status, 408);
  EXPECT_EQ(server.server().counters().timeouts, 3U);
  EXPECT_EQ(server.client().ask(post("/echo", std::string(5'000'000, 'x'))).status, 200) << "fast enough";
}

TEST(HttpTimeouts, ASlowHandlerIsNoSlowBody) {
  auto options = local_options();
  options.limits.rate_window = milliseconds(50);
  options.limits.least_sent = 1'000'000;
  Gate gate;
  TestServer server(options, [&](Server& to) { to.route("POST", "/gate", gate.handler()); });
  auto client = server.client();
  client.send(post("/gate", "x"));
  gate.wait_inside(1);
  auto other = server.client();
  EXPECT_EQ(other.ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n").status, 408)
      << "windows have passed";
  gate.open();
  EXPECT_EQ(client.read().status, 200);
}

/// GET /endless: an answer that never ends.
void add_endless(Server& to) {
  to.route("GET", "/endless", [](Request&) {
    Response response;
    response.stream = [](const Write& write) {
      while (write(std::string(100000, 'x'))) continue;
      return false;
    };
    return response;
  });
}

TEST(HttpTimeouts, AnAnswerThatIsTakenTooSlowlyIsCut) {
  auto options = local_options();
  options.limits.rate_window = milliseconds(200);
  options.limits.least_taken = std::size_t{1} << 40U;
  TestServer server(options, add_endless);
  auto client = server.client();
  client.send(get("/endless"));
  ASSERT_TRUE(eventually([&] { return server.access().size() == 1; })) << "long before the write timeout";
  EXPECT_FALSE(server.access()[0].complete);
}

TEST(HttpTimeouts, AnIdleConnectionIsClosedWithoutAWord) {
  TestServer server(short_timeouts());
  auto fresh = server.client();
  auto used = server.client();
  EXPECT_EQ(used.ask(get("/ping")).status, 200);
  EXPECT_TRUE(fresh.closed());
  EXPECT_TRUE(used.closed());
  EXPECT_EQ(server.server().counters().timeouts, 0U);
}

TEST(HttpTimeouts, AClientThatDoesNotReadLosesItsAnswer) {
  TestServer server(short_timeouts(), add_endless);
  auto client = server.client();
  client.send(get("/endless"));
  ASSERT_TRUE(eventually([&] { return server.access().size() == 1; }));
  EXPECT_FALSE(server.access()[0].complete);
}

TEST(HttpHeads, TooLargeOnesAreRefused) {
  auto options = local_options();
  options.limits.max_header_bytes = 2000;
  TestServer server(options);
  EXPECT_EQ(server.client().ask(get("/ping", "A: " + std::string(1900, 'x') + "\r\n")).status, 200);
  EXPECT_EQ(server.client().ask(get("/ping", "A: " + std::string(2000, 'x') + "\r\n")).status, 431);
  auto endless = server.client();
  endless.send("GET /ping HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 1000; ++i) endless.send("A: " + std::string(1000, 'x') + "\r\n");
  EXPECT_EQ(endless.read().status, 431);
  TestServer roomy;
  EXPECT_EQ(roomy.client().ask(get("/" + std::string(8500, 'x'))).status, 414);
}

}  // namespace
}  // namespace raceway::server::http::test
