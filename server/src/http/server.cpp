#include "http/server.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>

#include "http/address.hpp"
#include "http/codec.hpp"
#include "http/door.hpp"
#include "http/listen.hpp"
#include "http/pipeline.hpp"
#include "http/router.hpp"
#include "http/spare_buffers.hpp"

namespace raceway::server::http {
class Server::Impl {
 public:
  Impl(Options the_options, Hooks the_hooks)
      : options(std::move(the_options)),
        hooks(std::move(the_hooks)),
        proxies(options.trusted_proxies),
        share(options.limits, proxies),
        pipeline(options, hooks, router, buffers, proxies, share),
        codec(pipeline, hooks, draining),
        door(
            options.limits, hooks, share, buffers,
            [this](Connection& connection, const Framing& framing, std::unique_ptr<PendingRequest>& pending) {
              return codec.serve(connection, framing, pending);
            },
            draining) {
    options.api_keys.clear();  // the pipeline has their hashes
  }

  /// Fewer connections where the process may not have as many files.
  void fit_open_files() {
    auto& connections = options.limits.max_connections;
    const auto wanted = connections + files_beside_connections;
    const auto files = allow_open_files(wanted);
    if (files >= wanted) return;
    const auto fitting = std::min(connections, files - std::min(files_beside_connections, files / 2));
    if (hooks.notice)
      hooks.notice("this process may have " + std::to_string(files) + " open files, so only " +
                   std::to_string(fitting) +
                   " connections are held at a time, not server.max_connections = " + std::to_string(connections) +
                   ": raise the limit to " + std::to_string(wanted) + " (LimitNOFILE of systemd, ulimit -n)");
    connections = fitting;
  }

  Options options;
  const Hooks hooks;
  Router router;
  std::atomic<bool> draining{false};
  SpareBuffers buffers;
  const TrustedProxies proxies;
  const FairShare share;
  Pipeline pipeline;
  Codec codec;
  Door door;
  std::vector<Descriptor> listeners;
};

Server::Server(Options options, Hooks hooks) : impl_(std::make_unique<Impl>(std::move(options), std::move(hooks))) {}
Server::~Server() = default;

void Server::route(std::string_view method, std::string_view pattern, Handler handler, RouteOptions options) {
  impl_->router.add(method, pattern, std::move(handler), options);
}

std::uint16_t Server::bind() {
  return take(listen_on(impl_->options.host, impl_->options.port));
}

std::uint16_t Server::take(Descriptor listener) {
  impl_->fit_open_files();
  if (is_loopback(address_of(listener))) impl_->pipeline.listening_on_loopback();
  return port_of(impl_->listeners.emplace_back(std::move(listener)));
}

void Server::take_also(Descriptor listener) {
  impl_->listeners.push_back(std::move(listener));
}

void Server::run() {
  if (impl_->listeners.empty()) throw std::logic_error("Server::run() before bind()");
  impl_->door.run(std::move(impl_->listeners));
}

void Server::stop() noexcept {
  impl_->door.stop();
}

Counters Server::counters() const {
  auto counters = impl_->door.counters();
  counters.requests_refused += impl_->pipeline.refused();
  return counters;
}

}  // namespace raceway::server::http
