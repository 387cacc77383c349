#include "http/codec.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "http/library.hpp"

namespace raceway::server::http {
namespace {

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

class Codec::Impl {
 public:
  Impl(Pipeline& pipeline, const Hooks& hooks, const std::atomic<bool>& draining)
      : pipeline_(pipeline), hooks_(hooks), draining_(draining) {}

  Outcome serve(Connection& connection, const Framing& framing, std::unique_ptr<PendingRequest>& pending) {
    Service service(*this, connection, framing);
    if (!pending) pending = begin(service.exchange);
    connection.begin_answer();
    if (pending->upload) {
      if (read(*pending, service.exchange) == Upload::State::more) return Outcome::more;
      service.exchange.upload = pending->upload.get();
    }
    service.exchange.request.headers = std::move(pending->headers);
    const auto& line = pending->request_line;
    const bool written = library_.serve(line, framing.http_1_0, connection, service) && connection.flush();
    report(service, written);
    pipeline_.give_back(service.exchange);
    if (!written) return Outcome::reset;
    if (!service.last) return Outcome::keep;
    return service.exchange.body_used && connection.buffered().empty() ? Outcome::close : Outcome::linger;
  }

 private:
  /// Reads the head, and begins with a body that is not there yet.
  std::unique_ptr<PendingRequest> begin(Exchange& exchange) {
    auto& connection = exchange.connection;
    const auto& framing = exchange.framing;
    auto pending = std::make_unique<PendingRequest>();
    const auto head = connection.buffered().substr(0, framing.head_bytes);
    pending->request_line = head.substr(0, head.find('\n') + 1);
    pending->headers = read_fields(head);
    connection.use(framing.head_bytes);
    const bool is_there = !framing.chunked && connection.buffered().size() >= framing.content_length;
    if (is_there) return pending;
    begin_upload(*pending, exchange);
    if (pending->upload && framing.expects_continue && connection.buffered().empty()) connection.send_now(go_on);
    return pending;
  }

  /// The library has not read the line yet: where it will refuse it, the body is read in vain.
  void begin_upload(PendingRequest& pending, Exchange& exchange) {
    std::string_view line = pending.request_line;
    const auto method = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), method.size() + 1));
    exchange.request.method = method;
    exchange.request.headers = std::move(pending.headers);
    pending.upload = pipeline_.begin_upload(exchange, line.substr(0, line.rfind(' ')));
    pending.client = exchange.request.client;
    pending.headers = std::move(exchange.request.headers);
    exchange.request = {};
  }

  Upload::State read(PendingRequest& pending, Exchange& exchange) {
    exchange.request.client = pending.client;
    return pipeline_.read(*pending.upload, exchange);
  }

  /// The request in service.
  class Service : public Answerer {
   public:
    Service(Impl& codec, Connection& connection, const Framing& framing)
        : exchange(connection, framing), codec_(codec) {}

    Response answer(const std::string& method, const std::string& target) override {
      exchange.request.method = method;
      answered_ = true;
      return codec_.pipeline_.answer(exchange, target);
    }
    Response refuse(int status_to_send) override { return codec_.pipeline_.refuse(exchange, status_to_send); }
    std::string_view connection_field(int status_to_send, bool until_close) override {
      status = status_to_send;
      const auto& framing = exchange.framing;
      last = !answered_ || !exchange.body_used || !framing.keep_alive || codec_.draining_ || until_close;
      if (last) return "close";
      return framing.http_1_0 ? "keep-alive" : "";
    }

    Exchange exchange;
    bool last = false;  ///< nothing more is served on this connection
    int status = 0;

   private:
    Impl& codec_;
    bool answered_ = false;  ///< by the pipeline, not refused
  };

  void report(const Service& served, bool written) const {
    if (!hooks_.access) return;
    const auto& request = served.exchange.request;
    Access access;
    access.method = request.method;
    access.path = request.path;
    access.route = request.route;
    access.status = served.status;
    access.received_bytes = request.body.size();
    access.sent_bytes = served.exchange.connection.sent();
    access.complete = written && !served.exchange.stream_cut;
    access.duration =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - served.exchange.connection.begun());
    access.request_id = request.request_id;
    access.client = request.client.empty() ? served.exchange.connection.peer() : request.client;
    access.identity = request.identity;
    hooks_.access(access);
  }

  Pipeline& pipeline_;
  const Hooks& hooks_;
  const std::atomic<bool>& draining_;
  Library library_;
};

Codec::Codec(Pipeline& pipeline, const Hooks& hooks, const std::atomic<bool>& draining)
    : impl_(std::make_unique<Impl>(pipeline, hooks, draining)) {}
Codec::~Codec() = default;

Outcome Codec::serve(Connection& connection, const Framing& framing, std::unique_ptr<PendingRequest>& pending) {
  return impl_->serve(connection, framing, pending);
}

}  // namespace raceway::server::http
