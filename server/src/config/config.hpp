// What the server was told to do: raceway.toml, the environment and the command line, checked and in one place.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace raceway::server::config {

enum class Backend { memory, postgres, supabase };
enum class Ack { durable, buffered };
enum class LogLevel { trace, debug, info, warn, error, off };
enum class LogFormat { text, json };
enum class MetricsAccess { open, key, off };

struct Server {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0 = any free port
  bool verbose = false;
  bool cors_enabled = true;
  /// ":*" stands for any port.
  std::vector<std::string> cors_origins = {"http://localhost:*",  "https://localhost:*", "http://127.0.0.1:*",
                                           "https://127.0.0.1:*", "http://[::1]:*",      "https://[::1]:*"};
  std::vector<std::string> allowed_hosts;  ///< names that Host may hold, without ports
  std::string base_path;                   ///< "/raceway", or empty
  bool rate_limit_enabled = false;
  std::uint32_t rate_limit_rpm = 1000;  ///< requests a minute
  bool auth_enabled = false;
  std::vector<std::string> api_keys;  ///< not empty where auth_enabled; each without blanks at its ends
  std::string ui_password;            ///< of the web UI's sign-in; empty: it asks for none; a secret
  std::uint64_t max_body_bytes = 67'108'864;
  std::uint32_t max_body_events = 1'000'000;
  std::uint64_t max_inflight_bytes = 0;  ///< 0 = an eighth of the memory there is, and 256 MiB at least
  std::uint32_t max_header_bytes = 65'536;
  std::uint32_t max_connections = 4096;
  std::uint32_t max_connections_per_address = 0;  ///< 0 = a quarter, and any number for this machine
  std::uint32_t threads = 128;                    ///< requests worked on at the same time
  std::chrono::seconds keep_alive{75};
  std::chrono::seconds read_timeout{30};
  std::chrono::seconds request_timeout{120};
  std::chrono::seconds write_timeout{30};
  std::uint32_t min_upload_rate = 1024;    ///< bytes a second; 0 = any
  std::uint32_t min_download_rate = 1024;  ///< the same
  std::chrono::seconds drain{0};           ///< not ready and still serving for so long, before drain_timeout begins
  std::chrono::seconds drain_timeout{30};
  bool trust_forwarded_for = false;          ///< the same as trusted_proxies = ["1"], where that is empty
  std::vector<std::string> trusted_proxies;  ///< addresses and networks, or one number
  MetricsAccess metrics = MetricsAccess::open;
};

struct Otlp {
  std::uint16_t port = 4318;  ///< of the loopback address; 0 = none
};

struct Postgres {
  std::string connection_string;  ///< for libpq; not empty where the backend is postgres or supabase; a secret
  std::uint32_t max_connections = 10;
  std::uint32_t min_connections = 2;  ///< at most max_connections
  std::chrono::seconds connection_timeout{30};
  std::chrono::seconds query_timeout{30};  ///< for one statement that reads
  bool auto_migrate = true;
  std::chrono::seconds refresh_analysis{60};  ///< how often; 0 = never
};

struct Memory {
  std::uint64_t max_bytes = 0;                  ///< 0 = a quarter of the memory there is
  std::uint64_t max_traces = 0;                 ///< 0 = any number
  std::chrono::seconds max_age{0};              ///< 0 = any
  std::string snapshot;                         ///< a file; empty = none
  std::chrono::seconds snapshot_interval{300};  ///< 0 = only when the server stops
};

struct Storage {
  Backend backend = Backend::memory;
  Memory memory;
  Postgres postgres;
};

struct Engine {
  std::uint32_t batch_size = 1000;      ///< events; at most buffer_size
  std::uint32_t buffer_size = 100'000;  ///< events
  std::chrono::milliseconds flush_interval{5};
  Ack ack = Ack::durable;
  std::chrono::seconds ack_timeout{8};  ///< durable: then a request is answered without its commit
  std::uint32_t writers = 0;            ///< 0 = one a core
};

struct Logging {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  bool include_modules = false;
};

struct Switch {
  bool enabled = true;
};

struct Development {
  bool cors_allow_all = false;
};

/// The defaults are those of a default-constructed Config; nothing else repeats them.
struct Config {
  Server server;
  Storage storage;
  Engine engine;
  Otlp otlp;
  Switch race_detection;
  Switch anomaly_detection;
  Switch distributed_tracing;
  Logging logging;
  Development development;
};

/// A value given on the command line: key path ("server.port"), its text as in the environment, and the option's name.
struct Override {
  std::string key;
  std::string text;
  std::string option;
};

/// Where the configuration comes from. Later ones win: defaults, file, environment, overrides.
struct Sources {
  std::optional<std::filesystem::path> file;       ///< --config; else RACEWAY_CONFIG; else default_file if it exists
  std::map<std::string, std::string> environment;  ///< only names that begin with RACEWAY_ matter
  std::vector<Override> overrides;
  std::filesystem::path default_file = "raceway.toml";
};

struct LoadedConfig {
  Config config;                                           ///< every value in range, cross checks passed
  std::filesystem::path file;                              ///< empty where none was read
  std::map<std::string, std::string, std::less<>> origin;  ///< key path -> "raceway.toml:12", "RACEWAY_..", "--port";
                                                           ///< absent: the default
  std::vector<std::string> warnings;                       ///< to be logged: settings that do not do what they seem to
};

/// The command line makes no sense; what() says why and where help is. Exit with 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The configuration cannot be used. what() holds all problems, one a line; none shows a secret.
class ConfigError : public std::runtime_error {
 public:
  explicit ConfigError(std::vector<std::string> problems);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<std::string> problems_;
};

/// Reads, merges and checks. The aliases are applied: server.verbose lowers logging.level to debug,
/// development.cors_allow_all sets cors_origins to ["*"], server.trust_forwarded_for trusted_proxies, where that is
/// empty, to ["1"]. Throws ConfigError.
LoadedConfig load(const Sources& sources);

/// The variables of this process.
std::map<std::string, std::string> process_environment();

/// The configuration in force as TOML that loads again, each line with its origin. Secrets are masked, and their lines
/// commented out, so that a mask is never taken for a value.
void print_effective(std::ostream& out, const LoadedConfig& loaded);

/// A file with every key, its meaning, range and default: server/raceway.example.toml.
void print_example(std::ostream& out);

}  // namespace raceway::server::config
