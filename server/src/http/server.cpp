#include "http/server.hpp"

#include <atomic>
#include <stdexcept>
#include <utility>

#include "http/codec.hpp"
#include "http/door.hpp"
#include "http/listen.hpp"
#include "http/pipeline.hpp"
#include "http/router.hpp"
#include "http/spare_buffers.hpp"

namespace raceway::server::http {
namespace {

/// Beside its clients a server needs the listener, epoll, the database, files ..
constexpr std::size_t other_files = 512;

}  // namespace

class Server::Impl {
 public:
  Impl(Options the_options, Hooks the_hooks)
      : options(std::move(the_options)),
        hooks(std::move(the_hooks)),
        pipeline(options, hooks, router, buffers),
        codec(pipeline, hooks, draining),
        door(
            options.limits, hooks, buffers,
            [this](Connection& connection, const Framing& framing) { return codec.serve(connection, framing); },
            draining) {
    options.api_keys.clear();  // the pipeline has their hashes
  }

  Options options;
  const Hooks hooks;
  Router router;
  std::atomic<bool> draining{false};
  SpareBuffers buffers;
  Pipeline pipeline;
  Codec codec;
  Door door;
  Descriptor listener;
};

Server::Server(Options options, Hooks hooks) : impl_(std::make_unique<Impl>(std::move(options), std::move(hooks))) {}
Server::~Server() = default;

void Server::route(std::string_view method, std::string_view pattern, Handler handler, RouteOptions options) {
  impl_->router.add(method, pattern, std::move(handler), options);
}

std::uint16_t Server::bind() {
  allow_open_files(impl_->options.limits.max_connections + other_files);
  impl_->listener = listen_on(impl_->options.host, impl_->options.port);
  return port_of(impl_->listener);
}

void Server::run() {
  if (impl_->listener.get() < 0) throw std::logic_error("Server::run() before bind()");
  impl_->door.run(std::move(impl_->listener));
}

void Server::stop() noexcept {
  impl_->door.stop();
}

Counters Server::counters() const {
  auto counters = impl_->door.counters();
  counters.requests_refused += impl_->pipeline.refused();
  counters.timeouts += impl_->pipeline.timeouts();
  return counters;
}

}  // namespace raceway::server::http
