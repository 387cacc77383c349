// IP addresses and networks as configurations and headers name them. Pure.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace raceway::server::config {

/// An address; one of IPv4 as it stands within IPv6.
using AddressBytes = std::array<unsigned char, 16>;

/// Of either kind, without brackets and port; nothing where it is none.
std::optional<AddressBytes> parse_address(std::string_view text);

/// Whether it is one of IPv4.
bool is_ipv4(const AddressBytes& address);

struct Network {
  AddressBytes address;
  unsigned bits;  ///< of the address within IPv6

  bool contains(const AddressBytes& other) const;
};

/// "10.0.0.0/8", or an address, which is a network of one; nothing where it is neither.
std::optional<Network> parse_network(std::string_view text);

}  // namespace raceway::server::config
