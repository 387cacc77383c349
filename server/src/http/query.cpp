#include "http/query.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "http/api.hpp"
#include "wire/errors.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::http {
namespace {

std::optional<wire::Micros> query_time(const Request& request, std::string_view name) {
  const auto given = request.query_parameter(name);
  if (!given) return std::nullopt;
  std::string text(*given);
  // An unescaped '+' of a zone arrives as a blank.
  const auto blank = text.rfind(' ');
  if (blank != std::string::npos && blank > text.find(':')) text[blank] = '+';
  try {
    return wire::read_timestamp(text).micros;
  } catch (const wire::EventError& error) {
    throw Refusal(400, std::string(name) + ": " + error.what());
  }
}

}  // namespace

std::uint64_t query_number(const Request& request, std::string_view name, std::uint64_t otherwise,
                           std::uint64_t least) {
  const auto text = request.query_parameter(name);
  if (!text) return otherwise;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < least) {
    throw Refusal(400, std::string(name) + " is \"" + std::string(text->substr(0, 60)) +
                           "\"; it must be a whole number of at least " + std::to_string(least));
  }
  return value;
}

Page query_page(const Request& request, std::uint64_t default_size) {
  Page page;
  page.asked = query_number(request, "page", 1, 0);
  page.number = std::max<std::uint64_t>(page.asked, 1);
  page.size = std::min(query_number(request, "page_size", default_size, 1), max_page_size);
  return page;
}

storage::TraceFilter query_filter(const Request& request) {
  storage::TraceFilter filter;
  if (const auto service = request.query_parameter("service")) filter.service = std::string(*service);
  filter.min_events = query_number(request, "min_events", 0, 0);
  filter.from = query_time(request, "from");
  filter.to = query_time(request, "to");
  return filter;
}

}  // namespace raceway::server::http
