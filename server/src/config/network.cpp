#include "config/network.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace raceway::server::config {
namespace {

constexpr std::size_t before_ipv4 = 12;
constexpr std::array<unsigned char, before_ipv4> ipv4_within{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned bits_before_ipv4 = 8 * before_ipv4;

}  // namespace

std::optional<AddressBytes> parse_address(std::string_view text) {
  const std::string address(text);
  AddressBytes bytes{};
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return bytes;
  std::copy(ipv4_within.begin(), ipv4_within.end(), bytes.begin());
  if (inet_pton(AF_INET, address.c_str(), &bytes[before_ipv4]) == 1) return bytes;
  return std::nullopt;
}

bool is_ipv4(const AddressBytes& address) {
  return std::equal(ipv4_within.begin(), ipv4_within.end(), address.begin());
}

bool Network::contains(const AddressBytes& other) const {
  const auto whole = bits / 8;
  if (!std::equal(address.begin(), address.begin() + whole, other.begin())) return false;
  const auto rest = bits % 8;
  return rest == 0 || (address[whole] ^ other[whole]) >> (8 - rest) == 0;
}

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = std::min(text.find('/'), text.size());
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned before = is_ipv4(*address) && text.find(':') == std::string_view::npos ? bits_before_ipv4 : 0;
  const unsigned most = 128 - before;
  if (slash == text.size()) return Network{*address, 128};
  const auto length = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (error != std::errc() || end != length.data() + length.size() || bits > most) return std::nullopt;
  return Network{*address, before + bits};
}

}  // namespace raceway::server::config
