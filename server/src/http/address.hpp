// The addresses of clients, and which of them stand for others.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/network.hpp"
#include "http/message.hpp"

namespace raceway::server::http {

/// As it is written most briefly; an IPv4 address within IPv6 is that of IPv4. What is no address stays as it is.
std::string plain_address(std::string_view text);

/// Of the loopback network; within IPv6, too.
bool is_loopback(std::string_view address);

/// What stands for one client wherever shares and rates are counted: the address, of IPv6 the network of 64 bits, for a
/// client has all addresses of that.
std::string client_network(std::string_view address);

/// The proxies whose word about their clients is taken.
class TrustedProxies {
 public:
  /// Each an address, or a network as address/bits; or one number alone: so many proxies stand in front, whatever their
  /// addresses. Throws std::invalid_argument that names what is neither.
  explicit TrustedProxies(const std::vector<std::string>& entries);

  /// Whether it is one of them; with a number, every peer is.
  bool trusts(std::string_view peer) const;

  /// The client's address: proxies add to X-Forwarded-For at its right, so it is the last one there that is no proxy's.
  /// What stands further left the client may have written itself.
  std::string client_of(std::string_view peer, const Fields& headers) const;

 private:
  std::size_t hops_ = 0;  ///< 0: by their addresses
  std::vector<config::Network> networks_;
};

}  // namespace raceway::server::http
