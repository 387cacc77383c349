// The load of the benchmarks: `drive sql|http|otlp|redis`. It prints one line of JSON. See --help.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "protocols.hpp"
#include "sql_load.hpp"
#include "traffic.hpp"

namespace raceway::bench {
namespace {

struct Arguments {
  std::string data = "tests/data/sdk";
  bool documented = false;
  std::int64_t seconds_per_copy = 60;
  Stream stream;
  std::size_t clients = 1;
  double seconds = 1e9;
  std::string connection;
  Way way = Way::ingest;
  std::string function = "raceway.ingest";
  std::uint16_t port = 0;
  std::string path = "/events";
};

/// Each client sends copies of its own, as services do that know nothing of each other.
template <class Make>
auto for_each_client(const Arguments& arguments, const Traffic& traffic, Make make) {
  std::vector<std::vector<decltype(make(Body{}))>> all(arguments.clients);
  for (std::size_t client = 0; client < arguments.clients; ++client) {
    Stream stream = arguments.stream;
    stream.first_copy += client;
    stream.copy_step = arguments.clients;
    stream.events = (arguments.stream.events + client) / arguments.clients;
    for (const auto& body : cut(traffic, stream)) all[client].push_back(make(body));
  }
  return all;
}

Outcome run_sql(const Arguments& arguments, const Traffic& traffic) {
  const auto bodies = for_each_client(arguments, traffic, [&](const Body& body) { return json_of(traffic, body); });
  Outcome outcome = load_by_sql(arguments.connection, arguments.way, arguments.function, bodies);
  outcome.events = arguments.stream.events;
  return outcome;
}

Outcome run_http(const Arguments& arguments, const Traffic& traffic) {
  const auto requests = for_each_client(
      arguments, traffic, [&](const Body& body) { return HttpProtocol::request(arguments.path, traffic, body); });
  return load_by_socket(arguments.port, HttpProtocol(), requests, arguments.seconds);
}

Outcome run_otlp(const Arguments& arguments) {
  std::vector<std::vector<Request>> requests(arguments.clients);
  const Stream& stream = arguments.stream;
  std::size_t client = 0;
  for (std::size_t first = 0; first < stream.events; first += stream.events_in_body) {
    const std::size_t spans = std::min(stream.events_in_body, stream.events - first);
    requests[client++ % arguments.clients].push_back(OtlpProtocol::request(first, spans));
  }
  return load_by_socket(arguments.port, OtlpProtocol(), requests, arguments.seconds);
}

Outcome run_redis(const Arguments& arguments, const Traffic& traffic) {
  const auto requests =
      for_each_client(arguments, traffic, [&](const Body& body) { return RedisProtocol::request(traffic, body); });
  return load_by_socket(arguments.port, RedisProtocol(), requests, arguments.seconds);
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

void print(Outcome outcome) {
  auto& latencies = outcome.latencies_millis;
  std::sort(latencies.begin(), latencies.end());
  const nlohmann::json line = {{"events", outcome.events},
                               {"stored", outcome.stored},
                               {"duplicates", outcome.duplicates},
                               {"rejected", outcome.rejected},
                               {"seconds", outcome.seconds},
                               {"preparation_seconds", outcome.preparation_seconds},
                               {"requests", latencies.size()},
                               {"ways", outcome.ways},
                               {"p50_ms", percentile(latencies, 0.50)},
                               {"p99_ms", percentile(latencies, 0.99)}};
  std::cout << line << '\n';
}

void add_common(CLI::App& command, Arguments& arguments) {
  command.add_option("--data", arguments.data, "The recorded bodies")->capture_default_str();
  command.add_flag("--documented", arguments.documented, "Traffic in the documented format instead of the recorded");
  command.add_option("--seconds-per-copy", arguments.seconds_per_copy, "How much later each copy is")
      ->capture_default_str();
  command.add_option("--first-copy", arguments.stream.first_copy, "The first copy of the traffic to send");
  command.add_option("--events", arguments.stream.events, "Events at most, over all clients")->required();
  command.add_option("--batch", arguments.stream.events_in_body, "Events in a body")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--duplicates", arguments.stream.duplicate_share, "Share of events sent before")
      ->check(CLI::Range(0.0, 0.9));
  command.add_option("--clients", arguments.clients, "Connections")->check(CLI::PositiveNumber)->capture_default_str();
}

void add_socket(CLI::App& command, Arguments& arguments) {
  command.add_option("--port", arguments.port, "Port on 127.0.0.1")->required();
  command.add_option("--seconds", arguments.seconds, "Ends after this time, if the events last that long");
}

int main_of(int count, char** words) {
  CLI::App app("Sends the recorded SDK traffic, multiplied with fresh ids, and says how long it took.");
  app.require_subcommand(1);
  Arguments arguments;
  auto* sql = app.add_subcommand("sql", "Straight into PostgreSQL");
  auto* http = app.add_subcommand("http", "POST to a Raceway server");
  auto* otlp = app.add_subcommand("otlp", "POST spans in protobuf to a Raceway server; events are spans");
  auto* redis = app.add_subcommand("redis", "XADD to a Redis server");
  for (auto* command : {sql, http, otlp, redis}) add_common(*command, arguments);
  for (auto* command : {http, otlp, redis}) add_socket(*command, arguments);
  const std::map<std::string, Way> ways{
      {"copy", Way::copy}, {"unnest", Way::unnest}, {"ingest", Way::ingest}, {"portable", Way::portable}};
  sql->add_option("--connection", arguments.connection, "libpq's connection string")->required();
  sql->add_option("--way", arguments.way, "How they are written")->transform(CLI::CheckedTransformer(ways));
  sql->add_option("--function", arguments.function, "What stands for raceway.ingest")->capture_default_str();
  http->add_option("--path", arguments.path, "Where to POST")->capture_default_str();
  CLI11_PARSE(app, count, words);

  const Traffic traffic = arguments.documented ? Traffic::documented(arguments.seconds_per_copy)
                                               : Traffic(arguments.data, arguments.seconds_per_copy);
  print(sql->parsed()    ? run_sql(arguments, traffic)
        : http->parsed() ? run_http(arguments, traffic)
        : otlp->parsed() ? run_otlp(arguments)
                         : run_redis(arguments, traffic));
  return 0;
}

}  // namespace
}  // namespace raceway::bench

int main(int count, char** words) {
  try {
    return raceway::bench::main_of(count, words);
  } catch (const std::exception& error) {
    std::cerr << "drive: " << error.what() << '\n';
    return 1;
  }
}
