// What the routes of the page make of a bundle; how they are served is in tests/e2e/test_page_files.py.
#include <gtest/gtest.h>

#include "http_support.hpp"
#include "web/pages.hpp"

namespace raceway::server::web {
namespace {

using http::test::get;
using http::test::TestServer;

TEST(WebPages, WithoutAPageTheServerSaysSoWhereItWouldBe) {
  TestServer server(http::test::local_options(), [](http::Server& to) { add_page_routes(to, {}, ""); });
  auto client = server.client();
  const auto answer = client.ask(get("/"));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.header("content-type"), "text/plain; charset=utf-8");
  EXPECT_NE(answer.body.find("built without its page"), std::string::npos);
  EXPECT_EQ(client.ask(get("/traces")).status, 404);
}

TEST(WebPages, EachPlaceOfThePrefixIsFilled) {
  Bundle bundle{.page = "{{base}}<a href=\"{{base}}/x\">{{other}}", .hash = "h"};
  bundle.files = {{{"a", "", ""}, {"b", "", ""}, {"c", "", ""}}};
  TestServer server(http::test::local_options(), [&](http::Server& to) { add_page_routes(to, bundle, "/p"); });
  EXPECT_EQ(server.client().ask(get("/send")).body, "/p<a href=\"/p/x\">{{other}}");
}

TEST(WebPages, AFileThatIsDamagedInTheProgramIsNoAnswer) {
  const std::string gzip = http::test::gzipped("text");
  Bundle bundle{.page = "page", .hash = "h"};
  bundle.files = {{{"a", "text/plain", gzip},
                   {"b", "text/plain", std::string_view(gzip).substr(0, 12)},
                   {"c", "text/plain", gzip}}};
  TestServer server(http::test::local_options(), [&](http::Server& to) { add_page_routes(to, bundle, ""); });
  auto client = server.client();
  EXPECT_EQ(client.ask(get("/assets/h/a")).body, "text");
  EXPECT_EQ(client.ask(get("/assets/h/b")).status, 500);
  EXPECT_EQ(client.ask(get("/assets/h/b", "Accept-Encoding: gzip\r\n")).body, gzip.substr(0, 12));
}

}  // namespace
}  // namespace raceway::server::web
