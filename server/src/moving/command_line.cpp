#include "moving/command_line.hpp"

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "wire/errors.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving {
namespace {

constexpr const char* export_footer =
    R"(Formats:
  ndjson  one event a line; loses nothing when it is imported again
  json    the same events in one document, {"events":[...]}
  otlp    the spans that OpenTelemetry sent, a request in OTLP's JSON a line for each trace; events that
          are of no span are left out and counted on stderr
  shiviz  a log for ShiViz, its parser on the first line, the delimiter of traces on the second; keeps
          hosts, ids, kinds, times and the order of the clocks, which are numbered anew as ShiViz wants them:
          each host counts its own events from 1. Events without a clock stand by the order of their thread;
          what no thread or host places is left out. Both are counted on stderr.

A file appears under its name when it is complete. Exits with 0; 1 where a --trace is not there; 2 where it could not.

Environment: RACEWAY_API_KEY; RACEWAY_CONFIG and RACEWAY_SECTION_KEY where --from is not given

Examples:
  raceway export --output events.ndjson.gz --gzip
  raceway export --from http://127.0.0.1:8080 --service bank --since 2026-01-01T00:00:00Z
  raceway export --from postgresql://raceway@localhost/raceway --format shiviz --trace transfer > transfer.log)";

constexpr const char* import_footer =
    R"(Takes what `export` writes, answers of GET /api/traces and GET /api/traces/:id, bodies of POST /events, and any
number of them behind each other; ShiViz logs; spans in OTLP's JSON or protobuf (a request a line, as the
OpenTelemetry Collector's file exporter writes them), as Jaeger's UI downloads them, in Zipkin's JSON; each also
compressed by gzip. A span becomes the same events by every way in.

An event that is there already is a duplicate and changes nothing: after an interruption run the same again. Events of
a ShiViz log are known by trace, host, clock and text, wherever they stand: of a log that grew or was rotated only what
is new is stored, and logs of several processes go into one trace by --trace. Two executions of one name in a log become
two traces, NAME and NAME~2, with a warning. Dates are read in these forms, without a zone as UTC; others are errors:
  2014-10-13T14:37:20.543+02:00, 2014-10-13 14:37:20,543, 2014/10/13 14:37:20, 13.10.2014 14:37:20, 10/13/2014 2:37 PM,
  13 Oct 2014 14:37:20 +0200, Mon Oct 13 14:37:20 2014, 13/Oct/2014:14:37:20 +0000, a day alone, and numbers since 1970:
  seconds of 9 or 10 digits, milli- of 12 or 13, micro- of 15 or 16, nanoseconds of 18 or 19, each also with a fraction

Exits with 0; 1 where something was rejected or could not be read (all the rest is in); 2 where it could not go on.

Environment: RACEWAY_API_KEY; RACEWAY_CONFIG and RACEWAY_SECTION_KEY where --to is not given

Examples:
  raceway import events.ndjson.gz
  raceway import traces.json --to http://127.0.0.1:8080
  raceway import app.log --format shiviz --parser '(?<event>.*)\n(?<host>\S*) (?<clock>{.*})'
  raceway export --from http://127.0.0.1:8080 | raceway import - --to postgresql://raceway@localhost/raceway)";

constexpr const char* endpoint_help =
    "http(s)://HOST:PORT of a server, or a connection string of PostgreSQL [the configured backend]";

void add_key(CLI::App& command, std::string& key) {
  command.add_option("--api-key", key, "A server's API key; better in $RACEWAY_API_KEY, which nobody else sees")
      ->envname("RACEWAY_API_KEY")
      ->type_name("KEY");
}

CLI::Option* add_time(CLI::App& command, const std::string& option, std::optional<wire::Micros>& time,
                      const std::string& help) {
  return command
      .add_option_function<std::string>(
          option,
          [option, &time](const std::string& text) {
            try {
              time = wire::read_timestamp(text).micros;
            } catch (const wire::EventError& error) {
              throw CLI::ValidationError(option, error.what());
            }
          },
          help)
      ->type_name("TIME");
}

using Formats = std::map<std::string, Format>;

void add_format(CLI::App& command, Format& format, const Formats& known, const std::string& help) {
  command
      .add_option_function<std::string>(
          "--format",
          [&format, known, help](const std::string& text) {
            const auto found = known.find(text);
            if (found == known.end()) throw CLI::ValidationError("--format", "\"" + text + "\" is none of " + help);
            format = found->second;
          },
          help)
      ->type_name("FORMAT");
}

void add_date_order(CLI::App& command, DateOrder& order) {
  const auto read = [&order](const std::string& text) {
    if (text != "mdy" && text != "dmy")
      throw CLI::ValidationError("--date-order", '"' + text + "\" is neither mdy nor dmy");
    order = text == "mdy" ? DateOrder::month_first : DateOrder::day_first;
  };
  command
      .add_option_function<std::string>("--date-order", read,
                                        "ShiViz: mdy or dmy, what 05/06/2014 means [an error, but for 10/13/2014]")
      ->type_name("ORDER");
}

}  // namespace

CLI::App* add_export(CLI::App& app, ExportOptions& options) {
  CLI::App* const command = app.add_subcommand("export", "Write traces with all their events to a file");
  command->footer(export_footer)->fallthrough();
  add_format(
      *command, options.format,
      Formats{{"json", Format::json}, {"ndjson", Format::ndjson}, {"shiviz", Format::shiviz}, {"otlp", Format::otlp}},
      "json, ndjson, shiviz or otlp [ndjson]");
  command->add_option("--from", options.from, endpoint_help)->type_name("WHERE");
  add_key(*command, options.api_key);
  CLI::Option* const trace =
      command->add_option("--trace", options.selection.traces, "Only this trace; may be given several times")
          ->type_name("ID")
          ->expected(1)
          ->take_all();
  command->add_option("--service", options.selection.service, "Only traces with an event of this service")
      ->type_name("NAME")
      ->excludes(trace);
  add_time(*command, "--since", options.selection.since, "Only traces that end at or after this time (RFC 3339)")
      ->excludes(trace);
  add_time(*command, "--until", options.selection.until, "Only traces that begin at or before this time")
      ->excludes(trace);
  command->add_option("-o,--output", options.output, "The file to write [stdout]")->type_name("FILE");
  command->add_flag("--gzip", options.gzip, "Compress it");
  return command;
}

CLI::App* add_import(CLI::App& app, ImportOptions& options) {
  CLI::App* const command = app.add_subcommand("import", "Read events from a file into a server or a database");
  command->footer(import_footer)->fallthrough();
  command->add_option("file", options.file, "The file to read; - is stdin")->required()->type_name("FILE");
  command->add_option("--to", options.to, endpoint_help)->type_name("WHERE");
  add_key(*command, options.api_key);
  add_format(*command, options.format,
             Formats{{"auto", Format::automatic},
                     {"json", Format::json},
                     {"ndjson", Format::ndjson},
                     {"shiviz", Format::shiviz},
                     {"otlp", Format::otlp},
                     {"jaeger", Format::otlp},
                     {"zipkin", Format::otlp}},
             "auto, json, ndjson, shiviz, otlp, jaeger or zipkin [auto]");
  command->add_option("--parser", options.parser, "ShiViz: the log's regular expression [its first line]")
      ->type_name("REGEX");
  command->add_option("--trace", options.trace, "ShiViz: the trace of a log without labels [the file's name]")
      ->type_name("ID");
  add_date_order(*command, options.date_order);
  command->add_option("--jobs", options.jobs, "Batches under way at the same time [2]")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  command->add_option("--batch-size", options.batch_size, "Events in a batch [1000]")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N");
  command
      ->add_option_function<unsigned>(
          "--give-up", [&options](unsigned seconds) { options.give_up = std::chrono::seconds(seconds); },
          "Seconds to go on trying where events cannot be taken now [60]")
      ->type_name("SECONDS");
  return command;
}

}  // namespace raceway::server::moving
