// cpp-httplib 0.11 reads the request line and the fields, and writes the answer. Kept from it, for it does them in a
// way that does not fit: sockets, threads, bodies, queries, ranges and compression.
#include "http/codec.hpp"

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "http/text.hpp"

namespace raceway::server::http {
namespace {

constexpr std::size_t stream_piece = 32 * 1024;

/// The field's name in a header line.
std::string_view field_name(std::string_view line) {
  return line.substr(0, line.find(':'));
}

/// Fields that would make httplib act by itself.
bool is_withheld(std::string_view name) {
  return equal_ignoring_case(name, "Range") || equal_ignoring_case(name, "Accept-Encoding") ||
         equal_ignoring_case(name, "Expect");
}

/// The head as httplib is to see it. It percent-decodes the values of fields, and takes a second '?' in a URL for an
/// error: both are encoded here, so that they come out as they were sent.
std::string head_for_httplib(std::string_view head) {
  std::string prepared;
  prepared.reserve(head.size() + 16);
  for (bool first = true; !head.empty(); first = false) {
    const auto line = head.substr(0, head.find('\n') + 1);
    head.remove_prefix(line.size());
    if (!first && is_withheld(field_name(line))) continue;
    bool marked = false;
    for (const char c : line) {
      if (first && c == '?' && std::exchange(marked, true))
        prepared += "%3F";
      else if (!first && c == '%')
        prepared += "%25";
      else
        prepared += c;
    }
  }
  return prepared;
}

/// What httplib reads from is the head alone; what it writes goes to the connection.
class HeadStream : public httplib::Stream {
 public:
  HeadStream(std::string head, Connection& connection) : head_(std::move(head)), connection_(connection) {}

  bool is_readable() const override { return used_ < head_.size(); }
  bool is_writable() const override { return !connection_.broken(); }
  ssize_t read(char* to, std::size_t size) override {
    const auto taken = std::min(size, head_.size() - used_);
    std::memcpy(to, head_.data() + used_, taken);
    used_ += taken;
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* from, std::size_t size) override {
    return connection_.write(std::string_view(from, size)) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = connection_.peer();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  /// httplib refuses what select() could not watch, and needs it for nothing else.
  socket_t socket() const override { return 0; }

 private:
  const std::string head_;
  std::size_t used_ = 0;
  Connection& connection_;
};

/// The request in service on this thread: httplib's handlers are not told.
struct Service {
  Exchange exchange;
  bool answered = false;  ///< by the pipeline, not by httplib itself
  bool last = false;      ///< nothing more is served on this connection
  int status = 0;
};
thread_local Service* service = nullptr;

/// For names that httplib adds.
bool is_pseudo_field(const std::string& name) {
  return name == "REMOTE_ADDR" || name == "REMOTE_PORT" || name == "LOCAL_ADDR" || name == "LOCAL_PORT";
}

/// Gathers small pieces, for each becomes a chunk.
class PieceWriter {
 public:
  explicit PieceWriter(httplib::DataSink& sink) : sink_(sink) {}
  bool write(std::string_view piece) {
    gathered_ += piece;
    return gathered_.size() < stream_piece || flush();
  }
  bool flush() {
    const bool sent = gathered_.empty() || sink_.write(gathered_.data(), gathered_.size());
    gathered_.clear();
    return sent;
  }

 private:
  httplib::DataSink& sink_;
  std::string gathered_;
};

/// Calls the stream once; false cuts the connection before the last chunk.
bool run_stream(const Stream& stream, httplib::DataSink& sink) {
  PieceWriter writer(sink);
  bool sent = true;
  const bool whole = stream([&](std::string_view piece) { return sent = sent && writer.write(piece); });
  if (!whole || !sent || !writer.flush()) return false;
  sink.done();
  return true;
}

void copy_answer(Response answer, bool http_1_0, httplib::Response& to) {
  to.status = answer.status;
  for (auto& [name, value] : answer.headers) to.set_header(name, value);
  if (!answer.stream) {
    to.body = std::move(answer.body);
    if (!to.body.empty()) to.set_header("Content-Type", answer.content_type);
    return;
  }
  const auto produce = [stream = std::move(answer.stream)](std::size_t, httplib::DataSink& sink) {
    return run_stream(stream, sink);
  };
  if (http_1_0)
    to.set_content_provider(answer.content_type, produce);
  else
    to.set_chunked_content_provider(answer.content_type, produce);
}

}  // namespace

class Codec::Impl : private httplib::Server {
 public:
  Impl(Pipeline& pipeline, const Hooks& hooks, const std::atomic<bool>& draining)
      : pipeline_(pipeline), hooks_(hooks), draining_(draining) {
    svr_sock_ = 0;  // streams end early without one; never used, for this server does not listen
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
      return HandlerResponse::Handled;
    });
    set_error_handler(HandlerWithResponse([this](const httplib::Request&, httplib::Response& response) {
      if (service->answered) return HandlerResponse::Unhandled;
      copy_answer(pipeline_.refuse(service->exchange, response.status), false, response);
      return HandlerResponse::Handled;
    }));
    set_exception_handler(  // its own one would tell the client what() in a header
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) { response.status = 500; });
    set_post_routing_handler(
        [this](const httplib::Request&, httplib::Response& response) { finish_headers(response); });
  }

  Outcome serve(Connection& connection, const Framing& framing) {
    Service current{Exchange(connection, framing)};
    service = &current;
    connection.begin_answer();
    HeadStream stream(head_for_httplib(connection.buffered().substr(0, framing.head_bytes)), connection);
    connection.use(framing.head_bytes);
    bool ignored = false;
    const bool written = process_request(stream, false, ignored, nullptr) && connection.flush();
    service = nullptr;
    report(current, written);
    pipeline_.give_back(current.exchange);
    if (!written) return Outcome::reset;
    if (!current.last) return Outcome::keep;
    return current.exchange.body_used && connection.buffered().empty() ? Outcome::close : Outcome::linger;
  }

 private:
  void answer(const httplib::Request& from, httplib::Response& to) {
    auto& exchange = service->exchange;
    exchange.request.method = from.method;
    for (const auto& [name, value] : from.headers) {
      if (!is_pseudo_field(name)) exchange.request.headers.emplace_back(name, value);
    }
    auto response = pipeline_.answer(exchange, from.target);
    service->answered = true;
    copy_answer(std::move(response), exchange.framing.http_1_0, to);
  }

  void finish_headers(httplib::Response& response) {
    const auto& exchange = service->exchange;
    const bool until_close = exchange.framing.http_1_0 && response.content_provider_;
    service->status = response.status;
    service->last =
        !service->answered || !exchange.body_used || !exchange.framing.keep_alive || draining_ || until_close;
    response.headers.erase("Keep-Alive");
    response.headers.erase("Accept-Ranges");
    response.headers.erase("Connection");
    if (service->last)
      response.set_header("Connection", "close");
    else if (exchange.framing.http_1_0)
      response.set_header("Connection", "keep-alive");
  }

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
};

Codec::Codec(Pipeline& pipeline, const Hooks& hooks, const std::atomic<bool>& draining)
    : impl_(std::make_unique<Impl>(pipeline, hooks, draining)) {}
Codec::~Codec() = default;

Outcome Codec::serve(Connection& connection, const Framing& framing) {
  return impl_->serve(connection, framing);
}

}  // namespace raceway::server::http
