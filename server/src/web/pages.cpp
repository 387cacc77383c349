#include "web/pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "http/content.hpp"
#include "http/envelope.hpp"
#include "http/sha256.hpp"
#include "http/text.hpp"

namespace raceway::server::web {
namespace {

/// The views of the page. A link to any of them opens it; what is in none of these patterns is not found, as ever.
constexpr std::array views = {
    "/",         "/traces",         "/traces/:id", "/races",   "/races/:key", "/variables", "/variables/:name",
    "/services", "/services/:name", "/compare",    "/storage", "/send"};

/// Traces are hostile input: what is not in the page's own files does not run, and text never becomes markup.
constexpr std::array<std::pair<const char*, const char*>, 4> guards{{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
     "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
}};

std::string entity_tag(std::string_view content) {
  std::string tag = "W/\"";  // weak: the same for every encoding
  const auto digest = http::sha256(content);
  for (const unsigned char byte : std::span(digest).first(8)) tag += fmt::format("{:02x}", byte);
  return tag + '"';
}

/// Whether one of the entity tags in If-None-Match is `tag`, by weak comparison.
bool has_already(std::string_view if_none_match, std::string_view tag) {
  const auto opaque = [](std::string_view text) { return text.starts_with("W/") ? text.substr(2) : text; };
  while (!if_none_match.empty()) {
    const auto end = std::min(if_none_match.find(','), if_none_match.size());
    const auto each = http::trimmed(if_none_match.substr(0, end));
    if (each == "*" || opaque(each) == opaque(tag)) return true;
    if_none_match.remove_prefix(std::min(end + 1, if_none_match.size()));
  }
  return false;
}

/// Whether Accept-Encoding takes gzip: named, or by "*", and not with a weight of nothing.
bool takes_gzip(std::string_view accepted) {
  bool any = false;
  while (!accepted.empty()) {
    const auto end = std::min(accepted.find(','), accepted.size());
    const auto each = accepted.substr(0, end);
    accepted.remove_prefix(std::min(end + 1, accepted.size()));
    const auto semicolon = std::min(each.find(';'), each.size());
    const auto name = http::trimmed(each.substr(0, semicolon));
    const auto weight = http::trimmed(each.substr(std::min(semicolon + 1, each.size())));
    const bool none = weight.starts_with("q=0") && weight.find_first_not_of("0.", 2) == std::string_view::npos;
    if (http::equal_ignoring_case(name, "gzip")) return !none;
    any = any || (name == "*" && !none);
  }
  return any;
}

std::string inflated(std::string_view gzip) {
  constexpr std::size_t most = std::size_t{64} << 20U;
  std::string plain;
  http::BodySink sink(http::Encoding::compressed, most, plain);
  using Result = http::BodySink::Result;
  if (sink.append(gzip) != Result::ok || sink.finish() != Result::ok)
    throw std::logic_error("a file of the page is damaged in this program");
  return plain;
}

/// Something to be sent, and what is said with it.
class Document {
 public:
  Document(std::string content_type, std::string cache_control, std::string content)
      : content_type_(std::move(content_type)),
        cache_control_(std::move(cache_control)),
        tag_(entity_tag(content)),
        plain_(std::move(content)) {}
  /// Of bytes that outlive it, compressed.
  Document(const File& file, std::string cache_control)
      : content_type_(file.content_type),
        cache_control_(std::move(cache_control)),
        tag_(entity_tag(file.gzip)),
        gzip_(file.gzip) {}

  http::Response answer(const http::Request& request) {
    http::Response response;
    response.content_type = content_type_;
    for (const auto& [name, value] : guards) response.headers.emplace_back(name, value);
    response.headers.emplace_back("Cache-Control", cache_control_);
    response.headers.emplace_back("ETag", tag_);
    if (!gzip_.empty()) response.headers.emplace_back("Vary", "Accept-Encoding");
    if (has_already(request.header("If-None-Match").value_or(""), tag_)) {
      response.status = 304;
      return response;
    }
    if (!gzip_.empty() && takes_gzip(request.header("Accept-Encoding").value_or(""))) {
      response.headers.emplace_back("Content-Encoding", "gzip");
      response.body = gzip_;
    } else {
      response.body = plain();
    }
    return response;
  }

 private:
  /// Whoever takes no gzip is rare: inflated for the first of them, and kept.
  const std::string& plain() {
    if (!gzip_.empty()) std::call_once(inflating_, [this] { plain_ = inflated(gzip_); });
    return plain_;
  }

  const std::string content_type_;
  const std::string cache_control_;
  const std::string tag_;
  const std::string_view gzip_;
  std::once_flag inflating_;
  std::string plain_;
};

std::string with_base(std::string_view page, std::string_view base_path) {
  constexpr std::string_view mark = "{{base}}";
  std::string filled;
  for (auto at = page.find(mark); at != std::string_view::npos; at = page.find(mark)) {
    filled.append(page.substr(0, at)).append(base_path);
    page.remove_prefix(at + mark.size());
  }
  return filled.append(page);
}

void add_no_page(http::Server& server, const http::RouteOptions& open) {
  constexpr const char* said = "This server was built without its page (make WEB=0); its API is under /api.\n";
  server.route(
      "GET", "/",
      [](http::Request&) {
        http::Response response;
        response.status = 404;
        response.content_type = "text/plain; charset=utf-8";
        response.body = said;
        return response;
      },
      open);
}

}  // namespace

void add_page_routes(http::Server& server, const Bundle& bundle, std::string_view base_path) {
  const http::RouteOptions open{.body = std::nullopt, .open = true};
  if (bundle.page.empty()) return add_no_page(server, open);
  const auto page =
      std::make_shared<Document>("text/html; charset=utf-8", "no-cache", with_base(bundle.page, base_path));
  for (const auto* view : views)
    server.route(
        "GET", view, [page](http::Request& request) { return page->answer(request); }, open);
  for (const auto& file : bundle.files) {
    const auto document = std::make_shared<Document>(file, "public, max-age=31536000, immutable");
    server.route(
        "GET", "/assets/" + std::string(bundle.hash) + '/' + std::string(file.name),
        [document](http::Request& request) { return document->answer(request); }, open);
  }
}

}  // namespace raceway::server::web
