#include "http_support.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "http/envelope.hpp"

namespace raceway::server::http::test {

std::string Answer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

RawClient::RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
}

RawClient::~RawClient() {
  if (socket_ >= 0) ::close(socket_);
}

RawClient::RawClient(RawClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), in_(std::move(other.in_)) {}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto taken = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (taken <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
  return true;
}

bool RawClient::more(milliseconds patience) {
  pollfd entry{socket_, POLLIN, 0};
  if (::poll(&entry, 1, static_cast<int>(patience.count())) <= 0) return false;
  char piece[65536];
  const auto got = ::recv(socket_, piece, sizeof piece, 0);
  if (got <= 0) return false;
  in_.append(piece, static_cast<std::size_t>(got));
  return true;
}

std::string RawClient::take(std::size_t bytes) {
  auto taken = in_.substr(0, bytes);
  in_.erase(0, bytes);
  return taken;
}

std::optional<std::string> RawClient::line(milliseconds patience) {
  for (;;) {
    if (const auto end = in_.find("\r\n"); end != std::string::npos) {
      auto text = take(end + 2);
      text.resize(end);
      return text;
    }
    if (!more(patience)) return std::nullopt;
  }
}

bool RawClient::read_chunks(std::string& body, milliseconds patience) {
  for (;;) {
    const auto size_line = line(patience);
    if (!size_line) return false;
    const auto size = std::stoul(*size_line, nullptr, 16);
    while (in_.size() < size + 2) {
      if (!more(patience)) {
        body += take(size);
        return false;
      }
    }
    body += take(size);
    if (take(2) != "\r\n") return false;
    if (size == 0) return true;
  }
}

Answer RawClient::read(bool head_only, milliseconds patience) {
  Answer answer;
  const auto status_line = line(patience);
  if (!status_line) return answer;
  answer.status = std::stoi(status_line->substr(9, 3));
  for (;;) {
    auto field = line(patience);
    if (!field) return answer;
    if (field->empty()) break;
    const auto colon = field->find(": ");
    auto name = field->substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    answer.headers[name] = field->substr(colon + 2);
  }
  if (head_only || answer.status == 100) {
    answer.complete = true;
  } else if (answer.header("transfer-encoding") == "chunked") {
    answer.complete = read_chunks(answer.body, patience);
  } else if (const auto length = answer.header("content-length"); !length.empty()) {
    while (in_.size() < std::stoul(length) && more(patience)) continue;
    answer.complete = in_.size() >= std::stoul(length);
    answer.body = take(std::stoul(length));
  } else {
    while (more(patience)) continue;
    answer.body = take(in_.size());
    answer.complete = true;
  }
  return answer;
}

Answer RawClient::ask(std::string_view bytes) {
  send(bytes);
  return read();
}

bool RawClient::closed(milliseconds patience) {
  pollfd entry{socket_, POLLIN, 0};
  char byte;
  return in_.empty() && ::poll(&entry, 1, static_cast<int>(patience.count())) > 0 && ::recv(socket_, &byte, 1, 0) <= 0;
}

void RawClient::finish_sending() {
  ::shutdown(socket_, SHUT_WR);
}

std::string get(std::string_view path, std::string_view header_lines) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(header_lines) + "\r\n";
}

std::string post(std::string_view path, std::string_view body, std::string_view header_lines) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(header_lines) + "\r\n" + std::string(body);
}

std::string gzipped(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

Options local_options() {
  Options options;
  options.port = 0;
  return options;
}

Hooks TestServer::hooks() {
  Hooks hooks;
  hooks.access = [this](const Access& access) {
    const std::lock_guard lock(mutex_);
    access_.push_back({std::string(access.method), std::string(access.path), std::string(access.route),
                       std::string(access.request_id), std::string(access.client), std::string(access.identity),
                       access.status, access.received_bytes, access.sent_bytes, access.complete});
  };
  hooks.failure = [this](std::string_view, std::string_view what) {
    const std::lock_guard lock(mutex_);
    failures_.emplace_back(what);
  };
  hooks.notice = [this](std::string_view what) {
    const std::lock_guard lock(mutex_);
    notices_.emplace_back(what);
  };
  return hooks;
}

TestServer::TestServer(Options options, const std::function<void(Server&)>& more)
    : server_(std::move(options), hooks()), port_(0) {
  server_.route("GET", "/ping", [](Request&) { return success("\"pong\""); });
  server_.route("POST", "/echo", [](Request& request) { return success(json_string(request.body)); });
  server_.route("GET", "/items/:id",
                [](Request& request) { return success(json_string(request.path_parameter("id"))); });
  if (more) more(server_);
  port_ = server_.bind();
  thread_ = std::thread([this] { server_.run(); });
}

TestServer::~TestServer() {
  stop();
}

void TestServer::stop() {
  server_.stop();
  if (thread_.joinable()) thread_.join();
}

std::vector<AccessLine> TestServer::access() const {
  const std::lock_guard lock(mutex_);
  return access_;
}

std::vector<std::string> TestServer::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

std::vector<std::string> TestServer::notices() const {
  const std::lock_guard lock(mutex_);
  return notices_;
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

}  // namespace raceway::server::http::test
