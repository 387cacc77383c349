#include "http/message.hpp"

#include "http/text.hpp"

namespace raceway::server::http {

std::optional<std::string_view> Request::header(std::string_view name) const {
  return find_header(headers, name);
}

std::optional<std::string_view> Request::query_parameter(std::string_view name) const {
  return find_exactly(query, name);
}

std::string_view Request::path_parameter(std::string_view name) const {
  const auto value = find_exactly(path_parameters, name);
  if (!value) throw std::logic_error("the route " + route + " has no parameter " + std::string(name));
  return *value;
}

}  // namespace raceway::server::http
