// The HTTP/1.1 door. No other file of the project knows which library stands behind it.
//
// One thread accepts, and watches the connections that are idle or still sending their request; a request goes to a
// thread of the pool when its head is there, and its body or the first 64 KiB of it. So idle keep-alive connections and
// slow senders cost no thread.
//
// What is done with a request, in this order:
//   1. request id: X-Request-Id if usable, else a new one; every answer names it
//   2. the route is looked up
//   3. web pages: 403 for those that may not call, and for names in Host that are not this server's (page_guard.hpp);
//      CORS: a preflight is answered here; every later answer carries the CORS headers
//   4. API key: 401, on unknown paths too, except for open routes
//   5. rate limit: 429, per key, else per client address; what lacks its key counts on the address
//   6. 404, 405 with Allow
//   7. Content-Type and Content-Encoding: 415; a browser has to send application/json; announced length: 413
//   8. the body is read and decompressed: 413, 400, 408
//   9. the handler; what it throws is answered as an error in the envelope
//  10. the access hook
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/descriptor.hpp"
#include "http/message.hpp"

namespace raceway::server::http {

struct Limits {
  std::size_t max_body_bytes = 64UL << 20;  ///< as sent, and after decompression
  std::size_t max_inflation = 250;  ///< bytes that one of a compressed body may become, beyond the first MiB; then 413
  std::size_t max_header_bytes = 64UL << 10;  ///< request line and headers together
  std::size_t max_connections = 4096;         ///< beyond, the one that idles longest is closed, else the newcomer: 503
  /// For one client, of IPv6 a network of 64 bits: 0 is a quarter of the above, and any number for this machine's own.
  /// Beyond, the longest idle of its own is closed, else the newcomer: 429. Of uploads and of downloads a client may
  /// have the same part. Trusted proxies are not limited.
  std::size_t connections_per_address = 0;
  std::size_t threads = 128;  ///< requests in handlers at once; started when needed
  /// Of those, how many may be begun while the ones before them get on; 0 is the number of cores. Where handlers wait
  /// for something else than the processor, set it to `threads`.
  std::size_t at_once = 0;
  std::size_t queue = 1024;                           ///< requests waiting for a thread; beyond: 503 and closed
  std::chrono::milliseconds keep_alive{75000};        ///< an idle connection is closed after this
  std::chrono::milliseconds read_timeout{30000};      ///< the longest wait for the next bytes of a request: 408
  std::chrono::milliseconds request_timeout{120000};  ///< from the first byte of a request to its last: 408
  std::chrono::milliseconds write_timeout{30000};  ///< for the client to take what was sent, plus a second per 64 KiB
  std::chrono::milliseconds drain_timeout{30000};  ///< stop() waits this long for clients
  std::size_t least_sent = 1024;   ///< bytes a second of a body on its way, over each rate_window; slower: 408
  std::size_t least_taken = 1024;  ///< the same of an answer, while the client is waited for; slower: cut
  std::chrono::milliseconds rate_window{10000};
};

struct RateLimit {
  bool enabled = false;
  std::uint32_t requests_per_minute = 1000;  ///< also the size of the burst; at least 1
  std::size_t max_clients = 65536;           ///< remembered at a time, the ones seen last
};

struct Cors {
  bool enabled = true;
  /// Each scheme://host[:port], ":*" for any port; "*" for every one. By default the pages of this machine.
  std::vector<std::string> origins = {"http://localhost:*",  "https://localhost:*", "http://127.0.0.1:*",
                                      "https://127.0.0.1:*", "http://[::1]:*",      "https://[::1]:*"};
};

struct Options {
  std::string host = "127.0.0.1";  ///< a name or an address
  std::uint16_t port = 8080;       ///< 0 = any free port
  Limits limits;
  bool auth_enabled = false;
  std::vector<std::string> api_keys;  ///< kept only as hashes
  RateLimit rate_limit;
  Cors cors;
  storage::ByteBudget* budget = &storage::ByteBudget::none();  ///< of bytes in flight; outlives the server
  /// Names that Host may hold. Without any, every name is let in where others than this machine are listened to.
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> trusted_proxies;  ///< as TrustedProxies takes them
};

/// One answered request, for the access log and metrics. Holds no key and no body.
struct Access {
  std::string_view method;  ///< empty, like path, where the request could not be read
  std::string_view path;
  std::string_view route;  ///< empty where none matched
  int status = 0;
  std::size_t received_bytes = 0;  ///< body, decompressed
  std::size_t sent_bytes = 0;      ///< answer with its head
  bool complete = true;            ///< false: the client went away or a stream was cut
  std::chrono::microseconds duration{0};
  std::string_view request_id;
  std::string_view client;
  std::string_view identity;
};

/// All are called from many threads at once and must not throw.
struct Hooks {
  std::function<void(const Access&)> access;
  /// A handler or stream threw something other than a Refusal; the client was told nothing of `what`.
  std::function<void(std::string_view request_id, std::string_view what)> failure;
  /// A handler could not answer now, for a cause of which the client was told less.
  std::function<void(std::string_view request_id, std::string_view cause)> unavailable;
  /// What whoever runs the server should know of; each kind at most once a minute.
  std::function<void(std::string_view what)> notice;
};

/// Figures since the start or of this moment.
struct Counters {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;     ///< over max_connections, the client's share, or the limit of open files
  std::uint64_t connections_over_share = 0;  ///< of these, over the share
  std::uint64_t connections_replaced = 0;    ///< idle ones that were closed for newcomers
  std::uint64_t out_of_files = 0;            ///< how often the process had no descriptor left
  std::uint64_t requests_refused = 0;        ///< over the queue, or too many slow bodies or streams
  std::uint64_t timeouts = 0;                ///< requests not sent in time
  std::size_t connections = 0;
  std::size_t requests_running = 0;
  std::size_t requests_queued = 0;
};

class Server {
 public:
  explicit Server(Options options, Hooks hooks = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Adds a route, before run(). `pattern` is "/api/traces/:id": a segment after ':' matches one non-empty segment, a
  /// last segment after '*' matches the rest, also an empty one. A literal segment beats ':', which beats '*'. A GET
  /// route answers HEAD too. Throws std::logic_error for a pattern that is there already with this method.
  void route(std::string_view method, std::string_view pattern, Handler handler, RouteOptions options = {});

  /// Takes the port and answers which. Raises the process's soft limit of open files where it is below the connections.
  /// Throws std::runtime_error that names host and port.
  std::uint16_t bind();

  /// The same with a socket that listens already, as of listen_on(): whoever has connected meanwhile waits in it.
  std::uint16_t take(Descriptor listener);
  /// And one more, before run(): the same is served there. Names in Host are judged by the first one's address.
  void take_also(Descriptor listener);

  /// Serves until stop(), then: no new connections, idle ones are closed, running requests finish, and clients are
  /// waited for up to drain_timeout. Handlers are always waited for. Once, after bind() or take().
  void run();

  /// Makes run() return. From any thread and from signal handlers; calling it again changes nothing.
  void stop() noexcept;

  Counters counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace raceway::server::http
