#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace raceway::server::config {
namespace {

template <class Enum>
constexpr std::array<std::string_view, 0> names{};
template <>
constexpr std::array<std::string_view, 3> names<Backend>{"memory", "postgres", "supabase"};
template <>
constexpr std::array<std::string_view, 2> names<Ack>{"durable", "buffered"};
template <>
constexpr std::array<std::string_view, 6> names<LogLevel>{"trace", "debug", "info", "warn", "error", "off"};
template <>
constexpr std::array<std::string_view, 2> names<LogFormat>{"text", "json"};
template <>
constexpr std::array<std::string_view, 3> names<MetricsAccess>{"open", "key", "off"};

template <class Field>
concept Duration = requires(Field field) {
  field.count();  // as those of std::chrono
};

/// What is special about a key; the rest follows from the type of its field.
struct Traits {
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  bool secret = false;
  bool effective = true;
};

template <class Field>
constexpr Type type_of() {
  if constexpr (std::is_same_v<Field, bool>)
    return Type::flag;
  else if constexpr (std::is_enum_v<Field>)
    return Type::choice;
  else if constexpr (std::is_same_v<Field, std::string>)
    return Type::text;
  else if constexpr (std::is_same_v<Field, std::vector<std::string>>)
    return Type::list;
  else
    return Type::integer;
}

template <class Field>
Value to_value(const Field& field) {
  if constexpr (std::is_enum_v<Field>)
    return std::string(names<Field>[static_cast<std::size_t>(field)]);
  else if constexpr (Duration<Field>)
    return std::int64_t{field.count()};
  else if constexpr (type_of<Field>() == Type::integer)
    return static_cast<std::int64_t>(field);
  else
    return field;
}

template <class Field>
void from_value(Field& field, const Value& value) {
  if constexpr (std::is_enum_v<Field>) {
    const auto& choices = names<Field>;
    const auto* const found = std::find(choices.begin(), choices.end(), std::get<std::string>(value));
    field = static_cast<Field>(found - choices.begin());
  } else if constexpr (Duration<Field>) {
    field = Field{std::get<std::int64_t>(value)};
  } else if constexpr (type_of<Field>() == Type::integer) {
    field = static_cast<Field>(std::get<std::int64_t>(value));
  } else {
    field = std::get<Field>(value);
  }
}

/// A key and the way to its field: the member pointers from Config down.
template <auto... Members>
constexpr Key key(std::string_view path, std::string_view meaning, Traits traits = {}) {
  using Field = std::remove_cvref_t<decltype((std::declval<Config&>().*....*Members))>;
  std::span<const std::string_view> choices;
  if constexpr (std::is_enum_v<Field>) choices = names<Field>;
  return {.path = path,
          .meaning = meaning,
          .type = type_of<Field>(),
          .min = traits.min,
          .max = traits.max,
          .choices = choices,
          .secret = traits.secret,
          .effective = traits.effective,
          .get = [](const Config& config) { return to_value<Field>((config.*....*Members)); },
          .set = [](Config& config, const Value& value) { from_value<Field>((config.*....*Members), value); }};
}

template <auto Member, auto... Members>
constexpr Key server(std::string_view path, std::string_view meaning, Traits traits = {}) {
  return key<&Config::server, Member, Members...>(path, meaning, traits);
}

template <auto Member>
constexpr Key postgres(std::string_view path, std::string_view meaning, Traits traits = {}) {
  return key<&Config::storage, &Storage::postgres, Member>(path, meaning, traits);
}

template <auto Member>
constexpr Key memory(std::string_view path, std::string_view meaning, Traits traits = {}) {
  return key<&Config::storage, &Storage::memory, Member>(path, meaning, traits);
}

constexpr Traits ignored{.effective = false};
constexpr Traits seconds{.min = 1, .max = 86'400};

// One key, one entry.
// clang-format off
constexpr std::array key_table{
    server<&Server::host>("server.host",
        "Address to listen on. 127.0.0.1: this machine only; 0.0.0.0: every interface."),
    server<&Server::port>("server.port", "Port to listen on; 0 takes any free one, named in the log.", {.max = 65'535}),
    server<&Server::verbose>("server.verbose", "Lowers logging.level to debug, where it is not lower already."),
    server<&Server::cors_enabled>("server.cors_enabled", "Let web pages of other origins call the API."),
    server<&Server::cors_origins>("server.cors_origins",
        "Origins that may, as scheme://host[:port], \":*\" for any port; \"*\" for every one. Without API keys requests of\n"
        "other pages are answered with 403, so that no page on the web can use a browser to read and write here."),
    server<&Server::allowed_hosts>("server.allowed_hosts",
        "Names under which clients reach the server, without ports; addresses and localhost are always good, and others\n"
        "are answered with 403, unless they come with an API key. Empty: no name on a loopback address, any elsewhere."),
    server<&Server::base_path>("server.base_path",
        "The prefix under which a proxy serves this server, as \"/raceway\", and which it takes off: the page names its\n"
        "files by it. Empty: none."),
    server<&Server::rate_limit_enabled>("server.rate_limit_enabled", "Limit the requests of each API key or address."),
    server<&Server::rate_limit_rpm>("server.rate_limit_rpm", "Requests a minute; more are answered with 429.",
        {.min = 1, .max = 1'000'000'000}),
    server<&Server::auth_enabled>("server.auth_enabled", "Ask for an API key. Needs at least one in api_keys."),
    server<&Server::api_keys>("server.api_keys",
        "The keys that are let in. Rather set RACEWAY_SERVER_API_KEYS=key1,key2 than write them here.",
        {.secret = true}),
    server<&Server::ui_password>("server.ui_password",
        "What the web UI asks for before it shows anything; it opens no route, API keys do. Rather set\n"
        "RACEWAY_SERVER_UI_PASSWORD than write it here.",
        {.secret = true}),
    server<&Server::max_body_bytes>("server.max_body_bytes",
        "Largest request body in bytes, after decompression; larger ones are answered with 413. Where a database takes less\n"
        "(raceway.max_body_bytes), that is the limit.",
        {.min = 1024, .max = 536'870'912}),
    server<&Server::max_body_events>("server.max_body_events", "Events in a request body; more are answered with 413.",
        {.min = 1, .max = 100'000'000}),
    server<&Server::max_inflight_bytes>("server.max_inflight_bytes",
        "Bytes that all requests together may hold: bodies and what they are read into, bodies that wait in the buffer,\n"
        "traces that are being read, answers. Who asks for more than is left gets 503 and comes again. 0: an eighth of\n"
        "the memory of the machine, or of its control group, and 256 MiB at least.", {.max = 1LL << 50}),
    server<&Server::max_header_bytes>("server.max_header_bytes", "Largest request head in bytes.",
        {.min = 1024, .max = 1'048'576}),
    server<&Server::max_connections>("server.max_connections", "Open connections at the same time; then the one that idles longest is closed for a new one.",
        {.min = 1, .max = 65'536}),
    server<&Server::max_connections_per_address>("server.max_connections_per_address",
        "Of these, those of one client: an address, of IPv6 a network of 64 bits. It may have the same part of the uploads\n"
        "and downloads under way. 0: a quarter, and for clients on this machine any number. Trusted proxies have no limit.",
        {.max = 65'536}),
    server<&Server::threads>("server.threads",
        "Requests worked on at the same time; the others wait.", {.min = 1, .max = 4'096}),
    server<&Server::keep_alive>("server.keep_alive_seconds", "How long an idle connection is kept open.", seconds),
    server<&Server::read_timeout>("server.read_timeout_seconds", "How long to wait for the next bytes of a request.",
        seconds),
    server<&Server::request_timeout>("server.request_timeout_seconds", "How long a request may take to arrive, from its first byte to its last.",
        seconds),
    server<&Server::write_timeout>("server.write_timeout_seconds",
        "How long to wait for a client to take the next bytes of an answer.", seconds),
    server<&Server::min_upload_rate>("server.min_upload_bytes_per_second",
        "What a body must bring, over each ten seconds; a slower request is answered with 408. 0: any.",
        {.max = 1'000'000'000}),
    server<&Server::min_download_rate>("server.min_download_bytes_per_second",
        "What a client must take of an answer, over each ten seconds in which it is waited for; a slower one is cut off.\n"
        "0: any.", {.max = 1'000'000'000}),
    server<&Server::drain>("server.drain_seconds",
        "After SIGTERM: how long to serve on while /health/ready answers 503, so that a load balancer sends no more\n"
        "requests here before the port closes. 0: closes at once.", {.max = 3'600}),
    server<&Server::drain_timeout>("server.drain_timeout_seconds",
        "Then: how long requests in flight may take to end.", {.max = 3'600}),
    server<&Server::trust_forwarded_for>("server.trust_forwarded_for",
        "Take the client's address from X-Forwarded-For: its last entry, which the proxy in front has added. Only behind\n"
        "a proxy that does. The same as trusted_proxies = [\"1\"]."),
    server<&Server::trusted_proxies>("server.trusted_proxies",
        "Behind several proxies: their addresses and networks (\"10.0.0.0/8\"), or how many there are ([\"2\"]). Of\n"
        "X-Forwarded-For, read from the right, the first entry that is no proxy's is the client's address."),
    server<&Server::metrics>("server.metrics",
        "GET /metrics, for Prometheus: open to all, with an API key where auth_enabled, or not there."),

    key<&Config::storage, &Storage::backend>("storage.backend",
        "With memory nothing survives a restart, but for a snapshot. postgres takes the extension where the database\n"
        "can have it, supabase the portable edition; what is there already stays."),

    memory<&Memory::max_bytes>("storage.memory.max_bytes",
        "Bytes that events may take, with all that finds them; then the trace that has not grown for longest goes.\n"
        "0: a quarter of the memory of the machine, or of its control group.", {.max = 1LL << 50}),
    memory<&Memory::max_traces>("storage.memory.max_traces", "Traces at most; 0: any number.", {.max = 1'000'000'000}),
    memory<&Memory::max_age>("storage.memory.max_age_seconds",
        "A trace goes that has got no event for so long; 0: never.", {.max = 3'155'760'000}),
    memory<&Memory::snapshot>("storage.memory.snapshot",
        "A file that all is saved to, and loaded from at the start; empty: none."),
    memory<&Memory::snapshot_interval>("storage.memory.snapshot_interval_seconds",
        "How often it is saved; 0: only when the server stops.", {.max = 86'400}),

    postgres<&Postgres::connection_string>("storage.postgres.connection_string",
        "As libpq takes it: postgresql://user@host:5432/raceway or host=... dbname=... user=...\n"
        "Rather set RACEWAY_STORAGE_POSTGRES_CONNECTION_STRING than write a password here.", {.secret = true}),
    postgres<&Postgres::max_connections>("storage.postgres.max_connections", "Connections at most.",
        {.min = 1, .max = 1'000}),
    postgres<&Postgres::min_connections>("storage.postgres.min_connections", "Connections kept open when idle.",
        {.max = 1'000}),
    postgres<&Postgres::connection_timeout>("storage.postgres.connection_timeout_seconds",
        "How long to wait for a free or new connection.", {.min = 1, .max = 3'600}),
    postgres<&Postgres::query_timeout>("storage.postgres.query_timeout_seconds",
        "How long a statement that reads may take; then the request is answered with 503.", seconds),
    postgres<&Postgres::auto_migrate>("storage.postgres.auto_migrate",
        "Create or upgrade the extension and the tables at the start."),
    postgres<&Postgres::refresh_analysis>("storage.postgres.refresh_analysis_seconds",
        "How often what is known of all traces is brought up to date in the database, for answers in SQL, over a\n"
        "connection beside the others; 0: never, where pg_cron does so.", {.max = 86'400}),

    key<&Config::engine, &Engine::batch_size>("engine.batch_size", "Events written in one transaction at most.",
        {.min = 1, .max = 100'000}),
    key<&Config::engine, &Engine::buffer_size>("engine.buffer_size",
        "Events that may wait to be written; when it is full, clients are told to come again (503).",
        {.min = 1, .max = 100'000'000}),
    key<&Config::engine, &Engine::flush_interval>("engine.flush_interval_ms",
        "Milliseconds that a batch waits to fill; 0: not at all.", {.max = 60'000}),
    key<&Config::engine, &Engine::ack>("engine.ack",
        "When to answer: after the commit, or as soon as the events are in the buffer."),
    key<&Config::engine, &Engine::ack_timeout>("engine.ack_timeout_seconds",
        "With ack = \"durable\": how long a request waits for its commit; then it is answered with 503, and may be sent\n"
        "again. SDKs wait ten seconds.", {.min = 1, .max = 3'600}),
    key<&Config::engine, &Engine::writers>("engine.writers", "Threads that write, one connection each; 0: one a core.",
        {.max = 1'000}),

    key<&Config::otlp, &Otlp::port>("otlp.port",
        "Port on 127.0.0.1 where programs with OpenTelemetry send to unless they are told otherwise: the same is served\n"
        "there as on server.port, where it is free. 0: not at all.", {.max = 65'535}),

    key<&Config::race_detection, &Switch::enabled>("race_detection.enabled", "", ignored),
    key<&Config::anomaly_detection, &Switch::enabled>("anomaly_detection.enabled", "", ignored),
    key<&Config::distributed_tracing, &Switch::enabled>("distributed_tracing.enabled", "", ignored),

    key<&Config::logging, &Logging::level>("logging.level", "The least level that is logged, to standard error."),
    key<&Config::logging, &Logging::format>("logging.format", "What an entry is: a line of text, or a line of JSON."),
    key<&Config::logging, &Logging::include_modules>("logging.include_modules",
        "Show which part of the server an entry comes from."),

    key<&Config::development, &Development::cors_allow_all>("development.cors_allow_all",
        "The same as cors_origins = [\"*\"]. Not for production."),
};

constexpr std::array<Section, 11> section_table{{
    {"server", "The HTTP server"},
    {"storage", "Where events are kept"},
    {"storage.memory", "Used by the backend memory"},
    {"storage.postgres", "Used by the backends postgres and supabase"},
    {"engine", "From the request to the storage"},
    {"otlp", "OpenTelemetry"},
    {"race_detection", "Race detection"},
    {"anomaly_detection", "Anomaly detection"},
    {"distributed_tracing", "Distributed tracing"},
    {"logging", "Logging"},
    {"development", "For development only"},
}};
// clang-format on

}  // namespace

std::string_view Key::section() const {
  return path.substr(0, path.rfind('.'));
}
std::string_view Key::name() const {
  return path.substr(path.rfind('.') + 1);
}

std::string Key::variable() const {
  std::string name = "RACEWAY_";
  for (const char c : path) name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

std::span<const Key> keys() {
  return key_table;
}
std::span<const Section> sections() {
  return section_table;
}

const Key* find_key(std::string_view path) {
  const auto found = std::find_if(key_table.begin(), key_table.end(), [&](const Key& key) { return key.path == path; });
  return found == key_table.end() ? nullptr : &*found;
}

std::string_view name_of(Backend backend) {
  return names<Backend>[static_cast<std::size_t>(backend)];
}

bool is_section(std::string_view path) {
  return std::any_of(section_table.begin(), section_table.end(), [&](const Section& s) { return s.path == path; });
}

}  // namespace raceway::server::config
