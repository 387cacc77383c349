// What is done with a request between its head and its answer. Knows connections, and no HTTP library.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/address.hpp"
#include "http/allowance.hpp"
#include "http/auth.hpp"
#include "http/connection.hpp"
#include "http/content.hpp"
#include "http/cors.hpp"
#include "http/framing.hpp"
#include "http/page_guard.hpp"
#include "http/rate_limit.hpp"
#include "http/router.hpp"
#include "http/server.hpp"
#include "http/spare_buffers.hpp"
#include "http/upload.hpp"

namespace raceway::server::http {

/// One request on its way. Lives on the stack of the thread that serves it.
struct Exchange {
  Exchange(Connection& the_connection, const Framing& the_framing) : connection(the_connection), framing(the_framing) {}

  Connection& connection;
  const Framing& framing;
  Request request;
  const Route* route = nullptr;             ///< once it is found
  Upload* upload = nullptr;                 ///< of a body that did not come at once
  bool body_begun = false;                  ///< some of it is used
  bool body_used = false;                   ///< read or skipped up to its end, so that another request may follow
  bool stream_cut = false;                  ///< the stream ended before it was whole
  Allowance::Hold stream_hold;              ///< while a stream is being sent
  storage::ByteBudget::Hold response_held;  ///< what the answer takes, until it is sent
};

/// Steps 1 to 9 of server.hpp. Thread-safe once the routes are there.
class Pipeline {
 public:
  /// All of them must outlive it.
  Pipeline(const Options& options, const Hooks& hooks, Router& router, SpareBuffers& buffers,
           const TrustedProxies& proxies, const FairShare& share);

  /// Before the first request, where only this machine is listened to.
  void listening_on_loopback() { pages_.listening_on_loopback(); }

  /// Of a request whose body is not there yet: the upload to read it by, where the answer will depend on the body.
  /// `exchange.request` has method and headers. Never throws.
  std::unique_ptr<Upload> begin_upload(Exchange& exchange, std::string_view target);

  /// Goes on with it, as far as the bytes reach that are there.
  Upload::State read(Upload& upload, Exchange& exchange);

  /// `exchange.request` has method and headers. Answers what is to be sent; never throws. The stream of the answer
  /// catches what its producer throws and answers false then.
  Response answer(Exchange& exchange, std::string_view target);

  /// Keeps what memory the exchange, which is over, has for the next one.
  void give_back(Exchange& exchange) { buffers_.give(std::move(exchange.request.body)); }

  /// The answer where the library refused the request before answer() was reached.
  Response refuse(Exchange& exchange, int status);

  std::uint64_t refused() const { return refused_; }

 private:
  enum class Rate { counts, is_looked_at };

  RouteMatch find_route(Exchange& exchange, std::string_view target) const;
  Response respond(Exchange& exchange, std::string_view target);
  std::optional<Response> gate(Exchange& exchange, const RouteMatch& match, Rate rate);
  std::optional<std::chrono::seconds> wait_for_rate(const std::string& client, Rate rate);
  static void check_type(const Request& request, Body wanted);
  static void tell_failure(const Exchange& exchange, Response& response);
  Encoding check_content(const Exchange& exchange, const Route& route) const;
  void read_body(Exchange& exchange, Encoding encoding);
  Allowance::Hold take_share(Allowance& of, const Exchange& exchange);
  void skip_body(Exchange& exchange) const;
  Response handle(Exchange& exchange, const Route& route);
  Response guarded(Exchange& exchange, const std::function<Response()>& step);
  void guard_stream(Exchange& exchange, Response& response);
  void report(const Exchange& exchange, std::string_view what) const;

  const Options& options_;
  const Hooks& hooks_;
  const Router& router_;
  SpareBuffers& buffers_;
  const KeyRing keys_;
  const CorsPolicy cors_;
  PageGuard pages_;
  const TrustedProxies& proxies_;
  const FairShare& share_;
  RateLimiter limiter_;
  Allowance uploads_;
  Allowance streams_;
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace raceway::server::http
