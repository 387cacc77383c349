// Who may ask, how often, and from which pages.
#include <gtest/gtest.h>

#include <string>

#include "http/envelope.hpp"
#include "http_support.hpp"

namespace raceway::server::http::test {
namespace {

TEST(HttpAccess, KeysGuardEveryPathButOpenOnesAndPreflights) {
  auto options = local_options();
  options.auth_enabled = true;
  options.api_keys = {"alpha", "be%74a"};
  TestServer server(options, [](Server& to) {
    RouteOptions open;
    open.open = true;
    const auto who = [](Request& request) { return success(json_string(request.identity)); };
    to.route("GET", "/page", who, open);
    to.route("GET", "/who", who);
  });
  auto client = server.client();
  const auto refused = client.ask(get("/who"));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body, R"({"success":false,"data":null,"error":"Unauthorized"})");
  EXPECT_EQ(client.ask(get("/who", "Origin: http://localhost:3000\r\n")).header("access-control-allow-origin"),
            "http://localhost:3000")
      << "so that a web page can tell why";
  EXPECT_EQ(client.ask(get("/who", "Authorization: Bearer wrong\r\n")).status, 401);
  EXPECT_EQ(client.ask(get("/nowhere")).status, 401);
  EXPECT_EQ(client.ask(post("/echo", "x")).status, 401);
  EXPECT_EQ(client.ask(get("/who", "authorization: bearer alpha\r\n")).body, success_body("\"key 1\""));
  EXPECT_EQ(client.ask(get("/who", "X-Raceway-Key: be%74a\r\n")).body, success_body("\"key 2\""));
  EXPECT_EQ(client.ask(get("/page")).body, success_body("\"\""));
  EXPECT_EQ(client.ask("OPTIONS /who HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a\r\n\r\n").status, 200);
}

TEST(HttpAccess, ALargeUploadWithoutAKeyIsNotRead) {
  auto options = local_options();
  options.auth_enabled = true;
  options.api_keys = {"alpha"};
  TestServer server(options);
  auto client = server.client();
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n" + std::string(70000, 'x'));
  const auto answer = client.read();
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST(HttpAccess, TheRateIsLimitedPerKeyElsePerAddress) {
  auto options = local_options();
  options.auth_enabled = true;
  options.api_keys = {"alpha", "beta"};
  options.rate_limit.enabled = true;
  options.rate_limit.requests_per_minute = 2;
  TestServer server(options);
  auto client = server.client();
  const auto ask = [&](const std::string& key) { return client.ask(get("/ping", "X-Raceway-Key: " + key + "\r\n")); };
  EXPECT_EQ(ask("alpha").status, 200);
  EXPECT_EQ(ask("alpha").status, 200);
  const auto limited = ask("alpha");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.body, R"({"success":false,"data":null,"error":"Too Many Requests"})");
  EXPECT_GE(std::stoi(limited.header("retry-after")), 1);
  EXPECT_EQ(ask("beta").status, 200);
  EXPECT_EQ(ask("guess 1").status, 401);
  EXPECT_EQ(ask("guess 2").status, 401);
  EXPECT_EQ(ask("guess 3").status, 429) << "guessing keys is limited by the address";
  EXPECT_EQ(ask("beta").status, 200);
}

TEST(HttpAccess, BehindAProxyTheRateIsLimitedPerForwardedAddress) {
  auto options = local_options();
  options.rate_limit.enabled = true;
  options.rate_limit.requests_per_minute = 1;
  options.trusted_proxies = {"1"};
  TestServer server(options);
  auto client = server.client();
  EXPECT_EQ(client.ask(get("/ping", "X-Forwarded-For: 192.0.2.1\r\n")).status, 200);
  EXPECT_EQ(client.ask(get("/ping", "X-Forwarded-For: 192.0.2.9, 192.0.2.1\r\n")).status, 429)
      << "what the proxy did not add is not believed";
  EXPECT_EQ(client.ask(get("/ping", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n")).status, 200);
  EXPECT_EQ(client.ask(get("/ping", "X-Forwarded-For: 2001:db8::1\r\n")).status, 200);
  EXPECT_EQ(client.ask(get("/ping", "X-Forwarded-For: 2001:db8::ffff:2\r\n")).status, 429) << "the same network";
  ASSERT_TRUE(eventually([&] { return server.access().size() == 5; }));
  EXPECT_EQ(server.access()[2].client, "192.0.2.2");
}

TEST(HttpAccess, CorsHeadersAreOnEveryAnswerAndPreflightsAreAnswered) {
  auto options = local_options();
  options.cors.origins = {"http://ui.example"};
  TestServer server(options);
  auto client = server.client();
  const std::string origin = "Origin: http://ui.example\r\n";
  const auto preflight = client.ask("OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\n" + origin +
                                    "Access-Control-Request-Method: POST\r\n"
                                    "Access-Control-Request-Headers: x-raceway-key\r\n\r\n");
  EXPECT_EQ(preflight.status, 200);
  EXPECT_EQ(preflight.header("access-control-allow-origin"), "http://ui.example");
  EXPECT_EQ(preflight.header("access-control-allow-methods"), "GET, POST, OPTIONS");
  EXPECT_EQ(preflight.header("access-control-allow-headers"), "x-raceway-key");
  EXPECT_EQ(preflight.header("access-control-max-age"), "86400");
  for (const auto* path : {"/ping", "/nowhere"}) {
    const auto answer = client.ask(get(path, origin));
    EXPECT_EQ(answer.header("access-control-allow-origin"), "http://ui.example") << path;
    EXPECT_EQ(answer.header("vary"), "Origin");
  }
  const auto foreign = client.ask(get("/ping", "Origin: http://evil.example\r\n"));
  EXPECT_EQ(foreign.status, 403);
  EXPECT_EQ(foreign.header("access-control-allow-origin"), "");
  options.cors.enabled = false;
  TestServer without(options);
  EXPECT_EQ(without.client().ask("OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 405);
}

}  // namespace
}  // namespace raceway::server::http::test
