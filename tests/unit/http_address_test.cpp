// Whose address counts.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "http/address.hpp"

namespace raceway::server::http {
namespace {

Fields forwarded(const std::string& value) {
  return {{"x-forwarded-for", value}};
}

TEST(HttpAddress, OneClientIsAnAddressOrANetworkOfIpv6) {
  EXPECT_EQ(client_network("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_network("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(client_network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(client_network("2001:db8:1:2::1"), client_network("2001:db8:1:2:ffff::9"));
  EXPECT_NE(client_network("2001:db8:1:2::1"), client_network("2001:db8:1:3::1"));
  EXPECT_EQ(client_network("unknown"), "unknown");
  EXPECT_EQ(plain_address("::FFFF:c000:201"), "192.0.2.1");
  EXPECT_EQ(plain_address("2001:DB8::0:1"), "2001:db8::1");
}

TEST(HttpAddress, OfTheLoopback) {
  for (const auto* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(is_loopback(text)) << text;
  for (const auto* text : {"128.0.0.1", "::2", "::ffff:10.0.0.1", "0.0.0.0", "::", "localhost", ""})
    EXPECT_FALSE(is_loopback(text)) << text;
}

TEST(HttpAddress, WithoutProxiesThePeerIsTheClient) {
  const TrustedProxies none({});
  EXPECT_EQ(none.client_of("127.0.0.1", forwarded("192.0.2.7")), "127.0.0.1");
  EXPECT_FALSE(none.trusts("127.0.0.1"));
}

TEST(HttpAddress, SoManyProxiesAreCountedFromTheRight) {
  const TrustedProxies one({"1"});
  EXPECT_EQ(one.client_of("10.0.0.1", forwarded(" 192.0.2.9 , 192.0.2.7 ")), "192.0.2.7") << "9 wrote the first itself";
  EXPECT_EQ(one.client_of("10.0.0.1", {{"X-Forwarded-For", "192.0.2.9"}, {"X-Forwarded-For", "192.0.2.7"}}),
            "192.0.2.7");
  EXPECT_EQ(one.client_of("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(one.client_of("10.0.0.1", forwarded("192.0.2.7, x\"")), "10.0.0.1");
  EXPECT_EQ(one.client_of("10.0.0.1", forwarded("")), "10.0.0.1");
  const TrustedProxies two({"2"});
  EXPECT_EQ(two.client_of("10.0.0.1", forwarded("192.0.2.9, 192.0.2.7, 10.0.0.2")), "192.0.2.7");
  EXPECT_EQ(two.client_of("10.0.0.1", forwarded("10.0.0.2")), "10.0.0.2") << "it came without the first proxy";
  EXPECT_EQ(two.client_of("10.0.0.1", forwarded("unknown, 10.0.0.2")), "10.0.0.2");
}

TEST(HttpAddress, ProxiesByTheirAddressesEndWhereTheFirstStrangerStands) {
  const TrustedProxies proxies({"10.0.0.0/8", "2001:db8::/33", "192.0.2.1"});
  const auto headers = forwarded("198.51.100.9, 198.51.100.7, 192.0.2.1, 10.200.0.1");
  EXPECT_EQ(proxies.client_of("10.0.0.1", headers), "198.51.100.7");
  EXPECT_EQ(proxies.client_of("::ffff:10.0.0.1", headers), "198.51.100.7");
  EXPECT_EQ(proxies.client_of("2001:db8:7fff::1", headers), "198.51.100.7");
  EXPECT_EQ(proxies.client_of("2001:db8:8000::1", headers), "2001:db8:8000::1") << "no proxy, so it is not believed";
  EXPECT_EQ(proxies.client_of("10.0.0.1", forwarded("[2001:db9::1]:4711, 10.0.0.2:80")), "2001:db9::1");
  EXPECT_EQ(proxies.client_of("10.0.0.1", forwarded("::ffff:198.51.100.7")), "198.51.100.7");
  EXPECT_TRUE(proxies.trusts("192.0.2.1"));
  EXPECT_FALSE(proxies.trusts("192.0.2.2"));
}

TEST(HttpAddress, WhatIsNoProxyIsNamed) {
  for (const auto* entry : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "proxy.example", "", "2001:db8::/129", "[::1]"})
    EXPECT_THROW(TrustedProxies({"10.0.0.1", entry}), std::invalid_argument) << entry;
  EXPECT_THROW(TrustedProxies({"1", "10.0.0.1"}), std::invalid_argument);
}

}  // namespace
}  // namespace raceway::server::http
