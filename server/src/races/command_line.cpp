#include "races/command_line.hpp"

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace raceway::server::races {
namespace {

constexpr const char* races_footer =
    R"(A race: two accesses to one variable, one of which writes, that nothing orders: no thread, no message, no task, no
lock. WHERE is a file of events (what `export` writes, bodies of POST /events, ShiViz logs; also .gz; - is stdin), which
needs no server, or a server or a database. Exact counts of all pairs; told once for each pair of places.

A file of suppressions has lines such as
  balance*  bank.js:*   # known, and will be mended with the new ledger

Exits with 1 where there are races of the class that fails, else 0; with 2 where events could not be read.

Environment: RACEWAY_API_KEY; RACEWAY_CONFIG and RACEWAY_SECTION_KEY where WHERE is not given

Examples:
  raceway races
  raceway races events.ndjson.gz --variable balance
  raceway races http://127.0.0.1:8080 --trace transfer
  raceway races run.ndjson --fail-on critical --suppressions known.txt --format sarif > races.sarif)";

constexpr const char* explain_footer =
    R"(Prints a shortest chain of reasons from the one event to the other, or what both of them know of last.

Exits with 0; with 2 where there is no such trace or event.

Examples:
  raceway explain transfer e2 e3
  raceway explain transfer e2 e3 --from events.ndjson)";

constexpr const char* where_help =
    "A file, http(s)://HOST:PORT of a server, or a connection string of PostgreSQL [the configured backend]";

void add_reading(CLI::App& command, Reading& reading) {
  command
      .add_option("--api-key", reading.api_key,
                  "A server's API key; better in $RACEWAY_API_KEY, which nobody else sees")
      ->envname("RACEWAY_API_KEY")
      ->type_name("KEY");
  command.add_option("--parser", reading.parser, "ShiViz: the log's regular expression [its first line]")
      ->type_name("REGEX");
}

/// An option that is one of some words.
template <class Value>
void add_choice(CLI::App& command, const std::string& name, Value& value, const std::map<std::string, Value>& known,
                const std::string& help) {
  command
      .add_option_function<std::string>(
          name,
          [name, &value, known, help](const std::string& text) {
            const auto found = known.find(text);
            if (found == known.end()) throw CLI::ValidationError(name, '"' + text + "\" is none of " + help);
            value = found->second;
          },
          help)
      ->type_name("WORD");
}

}  // namespace

CLI::App* add_races(CLI::App& app, RacesOptions& options) {
  CLI::App* const command = app.add_subcommand("races", "Find races in a file, a server or a database");
  command->footer(races_footer)->fallthrough();
  command->add_option("where", options.reading.where, where_help)->type_name("WHERE");
  add_reading(*command, options.reading);
  command->add_option("--trace", options.reading.traces, "Only this trace; may be given several times")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  command->add_option("--variable", options.variable, "Only races of this variable")->type_name("NAME");
  add_choice<bool>(*command, "--fail-on", options.warnings_fail, {{"critical", false}, {"warning", true}},
                   "critical (two writes) or warning (a read and a write as well) [warning]");
  command->add_option("--suppressions", options.suppressions, "A file of races that are known")->type_name("FILE");
  add_choice<ReportFormat>(*command, "--format", options.format,
                           {{"text", ReportFormat::text},
                            {"json", ReportFormat::json},
                            {"sarif", ReportFormat::sarif},
                            {"junit", ReportFormat::junit}},
                           "text, json, sarif or junit [text]");
  command->add_option("--limit", options.most_places, "Races that a text tells of [20]")->type_name("N");
  return command;
}

CLI::App* add_explain(CLI::App& app, ExplainOptions& options) {
  CLI::App* const command = app.add_subcommand("explain", "Say why two events are ordered, or are not");
  command->footer(explain_footer)->fallthrough();
  command
      ->add_option_function<std::string>(
          "trace", [&options](const std::string& id) { options.reading.traces = {id}; }, "The trace's id")
      ->required()
      ->type_name("TRACE");
  command->add_option("a", options.a, "The id of an event of it")->required()->type_name("A");
  command->add_option("b", options.b, "That of another")->required()->type_name("B");
  command->add_option("--from", options.reading.where, where_help)->type_name("WHERE");
  add_reading(*command, options.reading);
  return command;
}

}  // namespace raceway::server::races
