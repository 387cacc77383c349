// A listening socket.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "http/descriptor.hpp"

namespace raceway::server::http {

/// On the first address of `host` that can be had. Not blocking. Throws std::runtime_error that names host and port.
Descriptor listen_on(const std::string& host, std::uint16_t port);

/// The address a listening socket got, as a number.
std::string address_of(const Descriptor& listener);

/// An address as a number, "unknown" where it has none.
std::string numeric_host(const sockaddr_storage& address, socklen_t size);

/// The port a listening socket got.
std::uint16_t port_of(const Descriptor& listener);

/// Beside its clients a server needs the listener, epoll, the database, files .., and some for clients it turns away.
constexpr std::size_t files_beside_connections = 768;

/// Raises this process's soft limit of open files to `files`, as far as the hard limit lets it. Answers how many it may
/// have now.
std::size_t allow_open_files(std::size_t files);

}  // namespace raceway::server::http
