#include "http/library.hpp"

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <utility>

namespace raceway::server::http {
namespace {

constexpr std::size_t stream_piece = 32 * 1024;

/// The line as a head of its own. Some versions take a second '?' in a URL for an error: it is encoded, which is the
/// same.
std::string as_head(std::string_view line) {
  std::string head;
  head.reserve(line.size() + 16);
  bool marked = false;
  for (const char c : line) {
    if (c == '?' && std::exchange(marked, true))
      head += "%3F";
    else
      head += c;
  }
  return head += "\r\n";
}

/// What the library reads from is the head alone; what it writes goes to the connection. Some functions are virtual in
/// some versions only, so none is marked as such.
class HeadStream : public httplib::Stream {
 public:
  HeadStream(std::string head, Connection& connection) : head_(std::move(head)), connection_(connection) {}

  // NOLINTBEGIN(modernize-use-override)
  bool is_readable() const { return used_ < head_.size(); }
  bool is_writable() const { return !connection_.broken(); }
  bool wait_readable() const { return is_readable(); }
  bool wait_writable() const { return is_writable(); }
  ssize_t read(char* to, std::size_t size) {
    const auto taken = std::min(size, head_.size() - used_);
    std::memcpy(to, head_.data() + used_, taken);
    used_ += taken;
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* from, std::size_t size) {
    return connection_.write(std::string_view(from, size)) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const {
    ip = connection_.peer();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const {
    ip.clear();
    port = 0;
  }
  /// The library refuses what select() could not watch, and needs it for nothing else.
  socket_t socket() const { return 0; }
  time_t duration() const { return 0; }
  // NOLINTEND(modernize-use-override)

 private:
  const std::string head_;
  std::size_t used_ = 0;
  Connection& connection_;
};

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

/// The request in service on this thread: the library's handlers are not told.
struct Service {
  Answerer& answerer;
  bool http_1_0;
  bool answered = false;     ///< the line could be read
  bool until_close = false;  ///< only the end of the connection tells that of the answer
};
thread_local Service* service = nullptr;

void copy_answer(Response answer, httplib::Response& to) {
  to.status = answer.status;
  for (auto& [name, value] : answer.headers) to.set_header(name, value);
  if (!answer.stream) {
    to.body = std::move(answer.body);
    if (!to.body.empty() || answer.status == 200) to.set_header("Content-Type", answer.content_type);
    return;
  }
  const auto produce = [stream = std::move(answer.stream)](std::size_t, httplib::DataSink& sink) {
    return run_stream(stream, sink);
  };
  service->until_close = service->http_1_0;
  if (service->until_close)
    to.set_content_provider(answer.content_type, produce);
  else
    to.set_chunked_content_provider(answer.content_type, produce);
}

void finish_headers(httplib::Response& response) {
  for (const auto* own : {"Keep-Alive", "Accept-Ranges", "Connection"}) response.headers.erase(own);
  const auto field = service->answerer.connection_field(response.status, service->until_close);
  if (!field.empty()) response.set_header("Connection", std::string(field));
}

}  // namespace

class Library::Impl : public httplib::Server {
 public:
  Impl() {
    set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
      auto answer = service->answerer.answer(request.method, request.target);
      service->answered = true;
      copy_answer(std::move(answer), response);
      return HandlerResponse::Handled;
    });
    set_error_handler(HandlerWithResponse([](const httplib::Request&, httplib::Response& response) {
      if (service->answered) return HandlerResponse::Unhandled;
      copy_answer(service->answerer.refuse(response.status), response);
      return HandlerResponse::Handled;
    }));
    set_exception_handler(  // its own one would tell the client what() in a header
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) { response.status = 500; });
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) { finish_headers(response); });
    seem_to_listen(*this);
  }

  bool serve(HeadStream& stream, const std::string& peer) { return process(*this, stream, peer); }

 private:
  /// Streams end early without a socket that listens; this one is never used.
  template <class Server>
  static void seem_to_listen(Server& server) {
    if constexpr (requires { server.svr_sock_ = 0; }) server.svr_sock_ = 0;
  }

  /// As this version wants it called.
  template <class Server>
  static bool process(Server& server, HeadStream& stream, const std::string& peer) {
    bool ignored = false;
    if constexpr (requires { server.process_request(stream, peer, 0, peer, 0, false, ignored, nullptr); })
      return server.process_request(stream, peer, 0, std::string(), 0, false, ignored, nullptr);
    else
      return server.process_request(stream, false, ignored, nullptr);
  }
};

Library::Library() : impl_(std::make_unique<Impl>()) {}
Library::~Library() = default;

bool Library::serve(std::string_view request_line, bool http_1_0, Connection& connection, Answerer& answerer) {
  Service current{answerer, http_1_0};
  service = &current;
  HeadStream stream(as_head(request_line), connection);
  const bool written = impl_->serve(stream, connection.peer());
  service = nullptr;
  return written;
}

}  // namespace raceway::server::http
