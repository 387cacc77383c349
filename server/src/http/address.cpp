#include "http/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include "http/text.hpp"

namespace raceway::server::http {
namespace {

constexpr std::size_t bytes_before_ipv4 = 12;
constexpr std::size_t bytes_of_network = 8;

std::string address_text(const config::AddressBytes& bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (config::is_ipv4(bytes))
    inet_ntop(AF_INET, &bytes[bytes_before_ipv4], text.data(), text.size());
  else
    inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

/// "192.0.2.1:80" and "[2001:db8::1]:80", as some proxies write them.
std::string_view address_in(std::string_view entry) {
  if (entry.starts_with('[')) return entry.substr(1, std::min(entry.find(']'), entry.size()) - 1);
  return std::count(entry.begin(), entry.end(), ':') == 1 ? entry.substr(0, entry.find(':')) : entry;
}

/// The entries of all such fields, the one added last at the end.
std::vector<std::string_view> forwarded(const Fields& headers) {
  std::vector<std::string_view> entries;
  for (const auto& [name, value] : headers) {
    if (!equal_ignoring_case(name, "X-Forwarded-For")) continue;
    std::string_view rest = value;
    for (;;) {
      const auto comma = rest.find(',');
      entries.push_back(address_in(trimmed(rest.substr(0, comma))));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return entries;
}

}  // namespace

std::string plain_address(std::string_view text) {
  const auto bytes = config::parse_address(text);
  return bytes ? address_text(*bytes) : std::string(text);
}

bool is_loopback(std::string_view address) {
  constexpr unsigned char ipv4_loopback = 127;
  const auto bytes = config::parse_address(address);
  if (!bytes) return false;
  if (config::is_ipv4(*bytes)) return (*bytes)[bytes_before_ipv4] == ipv4_loopback;
  return bytes == config::parse_address("::1");
}

std::string client_network(std::string_view address) {
  auto bytes = config::parse_address(address);
  if (!bytes) return std::string(address);
  if (config::is_ipv4(*bytes)) return address_text(*bytes);
  std::fill(bytes->begin() + bytes_of_network, bytes->end(), 0);
  return address_text(*bytes) + "/64";
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& entries) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (entries.size() == 1 && std::all_of(entries[0].begin(), entries[0].end(), is_digit)) {
    const auto& text = entries[0];
    std::from_chars(text.data(), text.data() + text.size(), hops_);
    return;
  }
  for (const auto& entry : entries) {
    const auto network = config::parse_network(entry);
    if (!network) throw std::invalid_argument(entry + " is neither an address nor a network");
    networks_.push_back(*network);
  }
}

bool TrustedProxies::trusts(std::string_view peer) const {
  if (hops_ > 0) return true;
  const auto bytes = config::parse_address(peer);
  return bytes && std::any_of(networks_.begin(), networks_.end(),
                              [&](const config::Network& network) { return network.contains(*bytes); });
}

std::string TrustedProxies::client_of(std::string_view peer, const Fields& headers) const {
  std::string client(peer);
  if (!trusts(peer)) return client;
  auto entries = forwarded(headers);
  for (std::size_t hop = 0; !entries.empty() && config::parse_address(entries.back()); ++hop) {
    if (hops_ > 0 ? hop == hops_ : !trusts(client)) break;
    client = plain_address(entries.back());
    entries.pop_back();
  }
  return client;
}

}  // namespace raceway::server::http
