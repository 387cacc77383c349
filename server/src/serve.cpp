#include "serve.hpp"

#include <malloc.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "config/keys.hpp"
#include "config/machine_memory.hpp"
#include "http/api.hpp"
#include "http/auth_api.hpp"
#include "http/listen.hpp"
#include "http/metrics.hpp"
#include "http/operations.hpp"
#include "ingest/batching_ingestor.hpp"
#include "ingest/metrics.hpp"
#include "memory/keeper.hpp"
#include "memory/memory_storage.hpp"
#include "observability/metrics.hpp"
#include "observability/rarely.hpp"
#include "observability/request_figures.hpp"
#include "observability/request_id.hpp"
#include "postgres/analysis_refresher.hpp"
#include "postgres/postgres_storage.hpp"
#include "postgres/setup.hpp"
#include "storage/database_watch.hpp"
#include "storage/metrics.hpp"
#include "web/pages.hpp"

namespace raceway::server {
namespace {

/// What all requests together may hold.
std::size_t inflight_bytes(const config::Server& server) {
  constexpr std::uint64_t share_of_machine = 8;
  constexpr std::uint64_t least = std::uint64_t{256} << 20U;
  if (server.max_inflight_bytes != 0) return server.max_inflight_bytes;
  return std::max(least, config::usable_memory() / share_of_machine);
}

http::Options http_options(const config::Server& server, storage::ByteBudget& budget) {
  http::Options options;
  options.host = server.host;
  options.port = server.port;
  options.budget = &budget;
  options.limits.max_body_bytes = server.max_body_bytes;
  options.limits.max_header_bytes = server.max_header_bytes;
  options.limits.max_connections = server.max_connections;
  options.limits.connections_per_address = server.max_connections_per_address;
  options.limits.least_sent = server.min_upload_rate;
  options.limits.least_taken = server.min_download_rate;
  options.limits.threads = server.threads;
  options.limits.keep_alive = server.keep_alive;
  options.limits.read_timeout = server.read_timeout;
  options.limits.request_timeout = server.request_timeout;
  options.limits.write_timeout = server.write_timeout;
  options.limits.drain_timeout = server.drain_timeout;
  options.auth_enabled = server.auth_enabled;
  options.api_keys = server.api_keys;
  options.rate_limit.enabled = server.rate_limit_enabled;
  options.rate_limit.requests_per_minute = server.rate_limit_rpm;
  options.cors.enabled = server.cors_enabled;
  options.cors.origins = server.cors_origins;
  options.allowed_hosts = server.allowed_hosts;
  options.trusted_proxies = server.trusted_proxies;
  return options;
}

/// Hooks are called from the server's threads, as long as it lives.
http::Hooks http_hooks(observability::RequestFigures& figures) {
  http::Hooks hooks;
  hooks.access = [&figures](const http::Access& access) {
    figures.record(
        {access.method, access.route, access.status, access.received_bytes, access.sent_bytes, access.duration});
    if (!spdlog::should_log(spdlog::level::debug)) return;
    const observability::RequestScope scope{std::string(access.request_id)};
    spdlog::debug("{} {} {} {} bytes in {} us, client {} {}", access.method, access.path, access.status,
                  access.sent_bytes, access.duration.count(), access.client, access.identity);
  };
  hooks.failure = [](std::string_view request_id, std::string_view what) {
    spdlog::error("request {} failed: {}", request_id, what);
  };
  hooks.notice = [](std::string_view what) { spdlog::warn("{}", what); };
  hooks.unavailable = [rarely = std::make_shared<observability::Rarely>()](std::string_view id,
                                                                           std::string_view cause) {
    if (const auto requests = rarely->count())
      spdlog::warn("request {} was answered with 503 ({} so far unmentioned): {}", id, *requests, cause);
  };
  return hooks;
}

/// The storage and the way into it.
struct Backend {
  std::unique_ptr<storage::Storage> storage;
  std::unique_ptr<memory::MemoryKeeper> keeper;  // of a storage in memory
  std::unique_ptr<ingest::Ingestor> ingestor;
  std::unique_ptr<storage::DatabaseWatch> watch;           // of a storage that is a database
  std::unique_ptr<postgres::AnalysisRefresher> refresher;  // likewise
  std::string description;
  std::optional<std::uint64_t> largest_body;  // that it takes
};

Backend open_memory(const config::Memory& memory, const storage::Intake& intake) {
  constexpr std::uint64_t share_of_machine = 4;
  storage::MemoryLimits limits;
  limits.max_bytes = memory.max_bytes != 0 ? memory.max_bytes : config::usable_memory() / share_of_machine;
  limits.max_traces = memory.max_traces;
  limits.max_age = memory.max_age;
  Backend backend;
  auto storage = std::make_unique<memory::MemoryStorage>(limits, intake);
  const memory::SnapshotOptions snapshot{memory.snapshot, memory.snapshot_interval};
  backend.keeper = std::make_unique<memory::MemoryKeeper>(*storage, snapshot);
  backend.ingestor = std::make_unique<ingest::DirectIngestor>(*storage);
  backend.storage = std::move(storage);
  backend.description =
      memory.snapshot.empty() ? "in memory, nothing is kept" : "in memory, saved to " + memory.snapshot;
  return backend;
}

Backend open_backend(const config::Config& config, const storage::Intake& intake) {
  if (config.storage.backend == config::Backend::memory) return open_memory(config.storage.memory, intake);
  Backend backend;
  const auto& postgres = config.storage.postgres;
  const auto prepared = postgres::prepare(config.storage);
  spdlog::info("the database has {}", prepared.description);
  backend.description = "in PostgreSQL, " + prepared.description;
  backend.largest_body = prepared.largest_body;
  ingest::BatchingOptions options;
  const unsigned wanted = config.engine.writers != 0 ? config.engine.writers : std::thread::hardware_concurrency();
  options.writers = std::clamp(wanted, 1U, postgres::most_writers(postgres.max_connections));
  backend.storage =
      std::make_unique<postgres::PostgresStorage>(postgres, prepared.edition, options.writers, *intake.budget);
  options.batch_size = config.engine.batch_size;
  options.buffer_size = config.engine.buffer_size;
  options.flush_interval = config.engine.flush_interval;
  options.ack = config.engine.ack;
  // SDKs wait ten seconds for an answer and then drop the batch: a 503 must come before.
  options.ack_timeout = config.engine.ack_timeout;
  options.give_up = std::min({postgres.connection_timeout, config.engine.ack_timeout, std::chrono::seconds(5)});
  options.drain = config.server.drain_timeout;
  // Who waited for a durable commit has been answered by then: what is left was promised to nobody.
  if (options.ack == config::Ack::durable) options.drain = std::min(options.drain, std::chrono::milliseconds(5'000));
  backend.ingestor = std::make_unique<ingest::BatchingIngestor>(*backend.storage, options, intake);
  backend.watch = std::make_unique<storage::DatabaseWatch>(*backend.storage);
  if (postgres.refresh_analysis.count() > 0)
    backend.refresher = std::make_unique<postgres::AnalysisRefresher>(postgres);
  return backend;
}

/// SIGTERM, SIGINT and SIGHUP (the terminal is gone), taken by a thread of their own: the first stops the server, a
/// second one ends the process, as the first one does while there is nothing to stop yet. Where SIGTERM is given
/// notice, the server is left to serve for that long and only says that it is leaving; the next signal stops it before.
/// Not to be destroyed: the thread goes on until the process ends.
class StopSignals {
 public:
  /// Call before any other thread starts, so that none of them is interrupted.
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    // Blocked, it would come in spite of nohup.
    struct sigaction hang_up = {};
    sigaction(SIGHUP, nullptr, &hang_up);
    if (hang_up.sa_handler != SIG_IGN) sigaddset(&signals_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::thread([this] { watch(); }).detach();
  }

  /// From now on a signal stops the server: all but SIGINT after server.drain_seconds. It stops the reads of the
  /// storage, too, when the server has not ended within `drain`.
  void serving(http::Server& server, storage::Storage& storage, const config::Server& config) {
    const std::scoped_lock lock(mutex_);
    server_ = &server;
    storage_ = &storage;
    notice_ = config.drain;
    drain_ = config.drain_timeout;
  }
  /// Whether a signal has come.
  bool leaving() const { return leaving_; }
  /// The storage is not touched any more.
  void ended() {
    const std::scoped_lock lock(mutex_);
    storage_ = nullptr;
  }

 private:
  void watch() {
    int signal = 0;
    sigwait(&signals_, &signal);
    std::chrono::seconds notice{0};
    std::chrono::seconds drain{0};
    {
      const std::scoped_lock lock(mutex_);
      if (server_ == nullptr) _exit(128 + signal);
      if (signal != SIGINT) notice = notice_;
      drain = drain_;
    }
    leaving_ = true;
    if (notice.count() > 0) {
      spdlog::info("{}: not ready any more, serving on for {} s; once more stops at once", strsignal(signal),
                   notice.count());
      if (const int next = await_signal(notice)) signal = next;
    }
    spdlog::info("{}: no new connections, finishing what runs; once more ends at once", strsignal(signal));
    server_->stop();  // it lives as long as the process
    if (const int next = await_signal(drain)) _exit(128 + next);
    {
      const std::scoped_lock lock(mutex_);
      if (storage_ != nullptr) storage_->stop_reads();
    }
    sigwait(&signals_, &signal);
    _exit(128 + signal);
  }

  /// The next signal, 0 where none comes within `patience`.
  int await_signal(std::chrono::seconds patience) const {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (true) {
      const auto left = std::max(until - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration::zero());
      const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
      const timespec wait{whole.count(), std::chrono::nanoseconds(left - whole).count()};
      const int signal = sigtimedwait(&signals_, nullptr, &wait);
      if (signal > 0) return signal;
      if (errno != EINTR) return 0;
    }
  }

  sigset_t signals_{};
  std::mutex mutex_;
  http::Server* server_ = nullptr;
  storage::Storage* storage_ = nullptr;
  std::chrono::seconds notice_{0};
  std::chrono::seconds drain_{0};
  std::atomic<bool> leaving_{false};
};

/// `metrics`, what it names and the others outlive the server.
void add_operations(http::Server& server, const observability::Metrics& metrics, const storage::DatabaseWatch* watch,
                    const StopSignals& signals, config::MetricsAccess access) {
  http::Operations operations;
  operations.metrics = [&metrics] { return metrics.text(); };
  operations.not_ready = [&signals, watch]() -> std::optional<std::string> {
    if (signals.leaving()) return "the server is stopping";
    if (watch != nullptr && !watch->reachable()) return "the database cannot be reached";
    return std::nullopt;
  };
  operations.access = access;
  http::add_operations_routes(server, std::move(operations));
}

/// Where programs with OpenTelemetry send by default, as far as it is free. Answers whether it was.
bool listen_for_otlp(http::Server& server, std::uint16_t port) {
  if (port == 0) return false;
  try {
    server.take_also(http::listen_on("127.0.0.1", port));
    return true;
  } catch (const std::exception& error) {
    spdlog::info("spans are taken on server.port alone: {} (otlp.port)", error.what());
    return false;
  }
}

std::string url_of(const std::string& host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return "http://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

void say_where(const std::string& url, const std::string& otlp, const std::string& description) {
  std::cout << "Raceway " RACEWAY_VERSION " serves on " << url << " (" << description << ")\n"
            << "  look            " << url << "/\n"
            << "  send events     POST " << url << "/events\n"
            << "  send spans      OTEL_EXPORTER_OTLP_ENDPOINT=" << otlp
            << " OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
            << "  list traces     curl '" << url << "/api/traces?page=1'\n"
            << "  export all      curl " << url << "/api/traces > traces.json\n"
            << "  stop            Ctrl-C\n"
            << std::flush;
}

}  // namespace

int serve(const config::LoadedConfig& loaded) {
  static auto& signals = *new StopSignals();
  const auto& config = loaded.config;
  // With more heaps than cores, each thread's would keep holes that the others cannot fill.
  mallopt(M_ARENA_MAX, static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  // Never destroyed, as the server: what its requests hold is given back to it.
  static auto& budget = *new storage::ByteBudget(inflight_bytes(config.server));
  // A second server on the port is told so before it loads anything; who comes while this one loads waits for it. Where
  // a database may have to be waited for, it is better to refuse: other servers can answer.
  const bool in_memory = config.storage.backend == config::Backend::memory;
  http::Descriptor listener;
  if (in_memory) listener = http::listen_on(config.server.host, config.server.port);
  Backend backend = open_backend(config, {&budget, config.server.max_body_events});
  auto options = http_options(config.server, budget);
  if (backend.largest_body && *backend.largest_body < options.limits.max_body_bytes) {
    spdlog::warn("server.max_body_bytes is {}, and the database takes {} (raceway.max_body_bytes): that is the limit",
                 options.limits.max_body_bytes, *backend.largest_body);
    options.limits.max_body_bytes = *backend.largest_body;
  }
  // What goes to a database waits for it.
  if (!in_memory) options.limits.at_once = options.limits.threads;
  // Never destroyed: the thread of the signals may look at it until the process ends.
  static auto* const figures = new observability::RequestFigures();
  static auto* const server = new http::Server(std::move(options), http_hooks(*figures));
  http::Api api{*backend.storage, *backend.ingestor, budget};
  http::add_api_routes(*server, api);
  http::Sessions sessions(config.server.ui_password);
  http::add_auth_routes(*server, sessions);
  web::add_page_routes(*server, web::bundle(), config.server.base_path);
  using observability::Families;
  const observability::Metrics metrics(
      std::string(config::name_of(config.storage.backend)),
      {[](Families& families) { append_requests(families, figures->read()); },
       [](Families& families) { append_metrics(families, server->counters()); },
       [](Families& families) { append_metrics(families, budget); },
       [&](Families& families) { append_metrics(families, *backend.ingestor); },
       [&](Families& families) { append_metrics(families, *backend.storage, backend.watch.get()); }});
  add_operations(*server, metrics, backend.watch.get(), signals, config.server.metrics);
  if (!in_memory) listener = http::listen_on(config.server.host, config.server.port);
  const auto port = server->take(std::move(listener));
  signals.serving(*server, *backend.storage, config.server);
  api.listening = {url_of(config.server.host, port)};
  if (config.otlp.port != port && listen_for_otlp(*server, config.otlp.port)) {
    api.listening.push_back(url_of("127.0.0.1", config.otlp.port));
  }
  say_where(api.listening.front(), api.listening.back(), backend.description);
  server->run();
  signals.ended();

  const auto lost = backend.ingestor->drain();
  if (lost > 0) {
    spdlog::critical("{} events that were acknowledged could not be stored", lost);
    return 1;
  }
  if (backend.keeper && !backend.keeper->finish()) {
    spdlog::critical("what is in memory could not be saved");
    return 1;
  }
  spdlog::info("stopped; everything that was acknowledged is stored");
  return 0;
}

}  // namespace raceway::server
