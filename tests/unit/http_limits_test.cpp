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
    slow.back().send("POST /echo HTTP/1.1\r\nContent-Le");
    slow.push_back(server.client());
    slow.back().send("POST /echo HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + std::string(50000, 'x'));
  }
  for (int i = 0; i < 100; ++i) ASSERT_EQ(server.client().ask(post("/echo", "x")).status, 200);
  for (int i = 0; i < 100; ++i) slow[static_cast<std::size_t>(i)].send(i % 2 == 0 ? "ngth: 1\r\n\r\ny" : "more");
  EXPECT_EQ(slow[0].read().body, success_body("\"y\"")) << "slow, and served in the end";
}

TEST(HttpCrowds, SlowUploadsLeaveHalfOfTheThreads) {
  auto options = local_options();
  options.limits.threads = 4;
  TestServer server(options);
  std::vector<RawClient> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(server.client());
    slow.back().send("POST /echo HTTP/1.1\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n");
  }
  std::vector<int> statuses;
  for (auto& client : slow) statuses.push_back(client.read().status);
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 100), 2);
  EXPECT_EQ(std::count(statuses.begin(), statuses.end(), 503), 2);
  EXPECT_EQ(server.client().ask(post("/echo", "x")).status, 200);
  EXPECT_EQ(server.server().counters().requests_refused, 2U);
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

TEST(HttpCrowds, ConnectionsBeyondTheLimitAreToldToComeAgain) {
  auto options = local_options();
  options.limits.max_connections = 3;
  TestServer server(options);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.client());
    ASSERT_EQ(clients.back().ask(get("/ping")).status, 200);
  }
  auto fourth = server.client();
  const auto refused = fourth.read();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "1");
  EXPECT_TRUE(fourth.closed());
  EXPECT_EQ(server.server().counters().connections_refused, 1U);
  EXPECT_EQ(clients[0].ask(get("/ping")).status, 200);
  clients.clear();
  ASSERT_TRUE(eventually([&] { return server.server().counters().connections == 0; }));
  EXPECT_EQ(server.client().ask(get("/ping")).status, 200);
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
    if (const auto answer = client.read(false, milliseconds(50)); answer.status != 0) return answer;
    if (!client.send("x")) break;
  }
  return {};
}

TEST(HttpTimeouts, ASlowHeadIsCutAtTheRequestsDeadline) {
  TestServer server(short_timeouts());
  auto slow = server.client();
  slow.send("GET /ping HTTP/1.1\r\nX-Slow: ");
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
    slow.send("POST /echo HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + std::string(before, 'x'));
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
    stopped.send("POST /echo HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + std::string(before, 'x'));
    EXPECT_EQ(stopped.read().status, 408) << before;
  }
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
  TestServer server(short_timeouts(), [](Server& to) {
    to.route("GET", "/endless", [](Request&) {
      Response response;
      response.stream = [](const Write& write) {
        while (write(std::string(100000, 'x'))) continue;
        return false;
      };
      return response;
    });
  });
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
  endless.send("GET /ping HTTP/1.1\r\n");
  for (int i = 0; i < 1000; ++i) endless.send("A: " + std::string(1000, 'x') + "\r\n");
  EXPECT_EQ(endless.read().status, 431);
  TestServer roomy;
  EXPECT_EQ(roomy.client().ask(get("/" + std::string(8500, 'x'))).status, 414);
}

}  // namespace
}  // namespace raceway::server::http::test
