#include "http/router.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <utility>

#include "http/text.hpp"

namespace raceway::server::http {
namespace {

using Segments = std::vector<std::string_view>;

/// "/a/b" is "a", "b"; "/" is one empty segment; "/a/" is "a" and an empty one: another path than "/a".
Segments split(std::string_view path) {
  Segments segments;
  if (!path.empty() && path.front() == '/') path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

char rank_of(std::string_view segment) {
  if (segment.starts_with('*')) return 'c';
  return segment.starts_with(':') ? 'b' : 'a';
}

/// The rest of the path from its segment `first` on, decoded as a whole.
std::optional<std::string> rest_of(const Segments& path, std::size_t first) {
  if (first == path.size()) return std::string();
  const auto* begin = path[first].data();
  const auto* end = path.back().data() + path.back().size();
  return percent_decoded(std::string_view(begin, static_cast<std::size_t>(end - begin)), false);
}

/// The parameters, or nothing where the path is not of this pattern.
std::optional<Fields> match(const std::vector<std::string>& pattern, const Segments& path) {
  const bool wildcard = pattern.back().starts_with('*');
  if (wildcard ? path.size() + 1 < pattern.size() : path.size() != pattern.size()) return std::nullopt;
  Fields parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view segment = pattern[i];
    const char rank = rank_of(segment);
    const auto value = rank == 'c' ? rest_of(path, i) : percent_decoded(path[i], false);
    if (!value) return std::nullopt;
    if (rank == 'a') {
      if (*value != segment) return std::nullopt;
      continue;
    }
    if (rank == 'b' && value->empty()) return std::nullopt;
    parameters.emplace_back(segment.substr(1), *value);
  }
  return parameters;
}

bool serves(const Route& route, std::string_view method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

void add_method(std::string& list, std::string_view method) {
  if (has_token(list, method)) return;
  if (!list.empty()) list += ", ";
  list += method;
}

}  // namespace

void Router::add(std::string_view method, std::string_view pattern, Handler handler, const RouteOptions& options) {
  if (!pattern.starts_with('/')) throw std::logic_error("a route begins with '/': " + std::string(pattern));
  Entry entry;
  for (const auto segment : split(pattern)) {
    if (!entry.rank.empty() && entry.rank.back() == 'c')
      throw std::logic_error("'*' must be in the last segment: " + std::string(pattern));
    entry.segments.emplace_back(segment);
    entry.rank += rank_of(segment);
  }
  const bool sends_body = method == "POST" || method == "PUT" || method == "PATCH";
  entry.route = Route{std::string(method), std::string(pattern),
                      std::move(handler),  options.body.value_or(sends_body ? Body::json : Body::none),
                      options.open,        options.limited,
                      options.tell_failure};
  for (const auto& other : entries_) {
    if (other.route.method == method && other.route.pattern == pattern)
      throw std::logic_error("two routes for " + other.route.method + " " + other.route.pattern);
  }
  const auto place = std::upper_bound(entries_.begin(), entries_.end(), entry,
                                      [](const Entry& a, const Entry& b) { return a.order() < b.order(); });
  entries_.insert(place, std::move(entry));
}

RouteMatch Router::find(std::string_view method, std::string_view path) const {
  RouteMatch result;
  if (!path.starts_with('/')) return result;
  const auto segments = split(path);
  bool named = false;  // by a pattern without '*': a wildcard then does not hide that only the method is wrong
  for (const auto& entry : entries_) {
    const bool wildcard = entry.rank.back() == 'c';
    if (wildcard && named) break;
    auto parameters = match(entry.segments, segments);
    if (!parameters) continue;
    if (serves(entry.route, method)) {
      result.route = &entry.route;
      result.parameters = std::move(*parameters);
      return result;
    }
    named = named || !wildcard;
    add_method(result.allow, entry.route.method);
    if (entry.route.method == "GET") add_method(result.allow, "HEAD");
  }
  return result;
}

}  // namespace raceway::server::http
