// A listening socket.
#pragma once

#include <cstdint>
#include <string>

#include "http/descriptor.hpp"

namespace raceway::server::http {

/// On the first address of `host` that can be had. Not blocking. Throws std::runtime_error that names host and port.
Descriptor listen_on(const std::string& host, std::uint16_t port);

/// The port a listening socket got.
std::uint16_t port_of(const Descriptor& listener);

/// Raises this process's soft limit of open files to `files`, as far as the hard limit lets it.
void allow_open_files(std::size_t files);

}  // namespace raceway::server::http
