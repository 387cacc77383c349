// What is done with a request between its head and its answer. Knows connections, and no HTTP library.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/auth.hpp"
#include "http/connection.hpp"
#include "http/content.hpp"
#include "http/cors.hpp"
#include "http/framing.hpp"
#include "http/rate_limit.hpp"
#include "http/router.hpp"
#include "http/server.hpp"
#include "http/spare_buffers.hpp"

namespace raceway::server::http {

/// At most so many at a time.
class Allowance {
 public:
  explicit Allowance(std::size_t most) : most_(static_cast<std::ptrdiff_t>(most)) {}

  /// Held until it goes out of scope. Test before use: false where there was none left.
  class Hold {
   public:
    Hold() = default;
    explicit Hold(std::atomic<std::ptrdiff_t>* taken) : taken_(taken) {}
    Hold(Hold&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
    Hold& operator=(Hold&& other) noexcept {
      std::swap(taken_, other.taken_);
      return *this;
    }
    ~Hold() {
      if (taken_ != nullptr) taken_->fetch_sub(1);
    }
    explicit operator bool() const { return taken_ != nullptr; }

   private:
    std::atomic<std::ptrdiff_t>* taken_ = nullptr;
  };

  Hold take() {
    if (taken_.fetch_add(1) < most_) return Hold(&taken_);
    taken_.fetch_sub(1);
    return Hold();
  }

 private:
  const std::ptrdiff_t most_;
  std::atomic<std::ptrdiff_t> taken_{0};
};

/// One request on its way. Lives on the stack of the thread that serves it.
struct Exchange {
  Exchange(Connection& the_connection, const Framing& the_framing) : connection(the_connection), framing(the_framing) {}

  Connection& connection;
  const Framing& framing;
  Request request;
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
  Pipeline(const Options& options, const Hooks& hooks, Router& router, SpareBuffers& buffers);

  /// `exchange.request` has method and headers. Answers what is to be sent; never throws. The stream of the answer
  /// catches what its producer throws and answers false then.
  Response answer(Exchange& exchange, std::string_view target);

  /// Keeps what memory the exchange, which is over, has for the next one.
  void give_back(Exchange& exchange) { buffers_.give(std::move(exchange.request.body)); }

  /// The answer where the library refused the request before answer() was reached.
  Response refuse(Exchange& exchange, int status);

  std::uint64_t refused() const { return refused_; }
  std::uint64_t timeouts() const { return timeouts_; }

 private:
  Response respond(Exchange& exchange, std::string_view target);
  std::optional<Response> gate(Exchange& exchange, const RouteMatch& match);
  Encoding check_content(const Exchange& exchange, const Route& route) const;
  void read_body(Exchange& exchange, Encoding encoding);
  void read_encoded_body(Exchange& exchange, Encoding encoding);
  void read_plain_body(Exchange& exchange, std::size_t& have);
  void check_read(Connection& connection, Connection::Read read);
  Allowance::Hold wait_for_body(Exchange& exchange);
  void check_piece(BodySink::Result result) const;
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
  RateLimiter limiter_;
  Allowance slow_bodies_;
  Allowance streams_;
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> timeouts_{0};
};

}  // namespace raceway::server::http
