// What a web page can make of the browser of somebody who visits it.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "http/page_guard.hpp"
#include "http_support.hpp"

namespace raceway::server::http::test {
namespace {

using Lines = std::vector<std::string>;

std::string request(const std::string& method, const std::string& path, const Lines& lines, bool host = true) {
  std::string text = method + " " + path + " HTTP/1.1\r\n";
  if (host) text += "Host: 127.0.0.1:8080\r\n";
  for (const auto& line : lines) text += line + "\r\n";
  return text + "\r\n";
}

int status_of(TestServer& server, const std::string& method, const std::string& path, const Lines& lines,
              bool host = true) {
  return server.client().ask(request(method, path, lines, host)).status;
}

TEST(HttpPages, ThoseOfOtherOriginsMayNeitherReadNorSend) {
  TestServer server;
  const Lines foreign = {"Origin: http://evil.example",
                         "Origin: null",
                         "Origin: http://localhost.evil.example:8080",
                         "Sec-Fetch-Site: cross-site",
                         "Origin: http://127.0.0.1.evil.example:8080",
                         "Origin: http://127.0.0.1:8080@evil.example"};
  for (const auto& line : foreign) {
    EXPECT_EQ(status_of(server, "GET", "/ping", {line}), 403) << line;
    EXPECT_EQ(status_of(server, "POST", "/echo", {line, "Content-Length: 0"}), 403) << line;
    EXPECT_EQ(status_of(server, "POST", "/nowhere", {line, "Content-Type: application/json"}), 403) << line;
    EXPECT_EQ(status_of(server, "OPTIONS", "/echo", {line}), 403) << line;
  }
  const auto told = server.client().ask(request("GET", "/ping", {"Origin: http://evil.example"}));
  EXPECT_NE(told.body.find("server.cors_origins"), std::string::npos) << told.body;
  EXPECT_EQ(told.header("access-control-allow-origin"), "");
}

TEST(HttpPages, ThoseOfThisMachineAndOfTheServerItselfMay) {
  TestServer server;
  for (const auto* origin : {"http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080"}) {
    const auto line = "Origin: " + std::string(origin);
    const auto answer = server.client().ask(request("GET", "/ping", {line, "Sec-Fetch-Site: cross-site"}));
    EXPECT_EQ(answer.status, 200) << origin;
    EXPECT_EQ(answer.header("access-control-allow-origin"), origin);
  }
  auto options = local_options();
  options.cors.origins = {};
  options.allowed_hosts = {"raceway.example"};
  TestServer named(options);
  const auto own = [&](const std::string& host, const std::string& origin) {
    return status_of(named, "GET", "/ping", {"Host: " + host, "Origin: " + origin, "Sec-Fetch-Site: same-origin"},
                     false);
  };
  EXPECT_EQ(own("raceway.example:8080", "http://Raceway.Example:8080"), 200);
  EXPECT_EQ(own("raceway.example", "https://raceway.example"), 200) << "TLS ends in front";
  EXPECT_EQ(own("raceway.example:443", "https://raceway.example"), 200);
  EXPECT_EQ(own("raceway.example:8080", "http://raceway.example:8081"), 403);
  EXPECT_EQ(own("raceway.example:8080", "http://raceway.example"), 403);
  EXPECT_EQ(own("raceway.example", "ftp://raceway.example"), 403);
}

TEST(HttpPages, AStarLetsAllOfThemIn) {
  auto options = local_options();
  options.cors.origins = {"*"};
  TestServer server(options);
  EXPECT_EQ(status_of(server, "GET", "/ping", {"Origin: http://other.example"}), 200);
  EXPECT_EQ(status_of(server, "GET", "/ping", {"Sec-Fetch-Site: cross-site"}), 200);
}

TEST(HttpPages, ABrowserHasToSendJsonAndOthersNeedNot) {
  TestServer server;
  const auto post = [&](Lines lines) {
    lines.emplace_back("Content-Length: 0");
    return status_of(server, "POST", "/echo", lines);
  };
  EXPECT_EQ(post({}), 200);
  for (const auto* browser : {"Origin: http://localhost:3000", "Sec-Fetch-Site: same-origin", "sec-fetch-mode: cors"}) {
    EXPECT_EQ(post({browser}), 415) << browser;
    EXPECT_EQ(post({browser, "Content-Type: text/plain"}), 415) << browser;
    EXPECT_EQ(post({browser, "Content-Type: application/json; charset=utf-8"}), 200) << browser;
  }
}

TEST(HttpPages, ANameThatSomebodyElseOwnsIsNotThisMachine) {
  TestServer server;
  const auto as = [&](const std::string& host) { return status_of(server, "GET", "/ping", {"Host: " + host}, false); };
  for (const auto* host : {"127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "localhost", "LocalHost:8080", "app.localhost",
                           "localhost.", "192.0.2.1"})
    EXPECT_EQ(as(host), 200) << host;
  for (const auto* host : {"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example",
                           "notlocalhost", "", "[evil]", "1.2.3"})
    EXPECT_EQ(as(host), 403) << host;
  const auto told = server.client().ask(request("GET", "/ping", {"Host: evil.example"}, false));
  EXPECT_NE(told.body.find("server.allowed_hosts"), std::string::npos) << told.body;
  EXPECT_EQ(server.client().ask("GET /ping HTTP/1.0\r\n\r\n").status, 200) << "no browser";
}

TEST(HttpPages, ElsewhereEveryNameIsGoodUnlessSomeAreNamed) {
  auto options = local_options();
  options.host = "0.0.0.0";
  TestServer open(options);
  EXPECT_EQ(status_of(open, "GET", "/ping", {"Host: any.example"}, false), 200);
  EXPECT_EQ(status_of(open, "GET", "/ping", {"Host: any.example", "Origin: http://evil.example"}, false), 403);
  options.allowed_hosts = {"Raceway.example"};
  TestServer named(options);
  EXPECT_EQ(status_of(named, "GET", "/ping", {"Host: any.example"}, false), 403);
  EXPECT_EQ(status_of(named, "GET", "/ping", {"Host: raceway.example:8080"}, false), 200);
  EXPECT_EQ(status_of(named, "GET", "/ping", {}), 200);
}

TEST(HttpPages, AKeyIsWhatNoPageHas) {
  auto options = local_options();
  options.auth_enabled = true;
  options.api_keys = {"alpha"};
  TestServer server(options, [](Server& to) {
    RouteOptions open;
    open.open = true;
    to.route(
        "GET", "/open", [](Request&) { return Response(); }, open);
  });
  const std::string key = "X-Raceway-Key: alpha";
  EXPECT_EQ(status_of(server, "GET", "/ping", {key, "Host: proxied.example", "Origin: http://other.example"}, false),
            200);
  EXPECT_EQ(status_of(server, "GET", "/ping", {"Origin: http://other.example"}), 401);
  EXPECT_EQ(status_of(server, "OPTIONS", "/ping", {"Host: proxied.example", "Origin: http://a"}, false), 200);
  EXPECT_EQ(status_of(server, "GET", "/open", {"Host: evil.example"}, false), 403) << "what needs no key";
}

}  // namespace
}  // namespace raceway::server::http::test
