// Reading query parameters; a value that makes no sense is a 400 that names it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/message.hpp"
#include "storage/storage.hpp"

namespace raceway::server::http {

/// A whole number of at least `least`, or `otherwise` where the parameter is absent.
std::uint64_t query_number(const Request& request, std::string_view name, std::uint64_t otherwise, std::uint64_t least);

/// Which part of a list is wanted.
struct Page {
  std::uint64_t asked = 1;   ///< `page` as given, for the answer
  std::uint64_t number = 1;  ///< the page it means, from 1
  std::uint64_t size = 20;
};
Page query_page(const Request& request, std::uint64_t default_size);

/// service, min_events, from, to.
storage::TraceFilter query_filter(const Request& request);

}  // namespace raceway::server::http
