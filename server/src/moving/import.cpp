#include <filesystem>
#include <iostream>

#include "moving/delivery.hpp"
#include "moving/event_splitter.hpp"
#include "moving/input.hpp"
#include "moving/moving.hpp"
#include "moving/progress.hpp"
#include "moving/shiviz_reader.hpp"

namespace raceway::server::moving {
namespace {

constexpr std::size_t enough_to_tell = 65'536;

/// The file's name without directory and .gz, as a log's trace.
std::string trace_of(const ImportOptions& options) {
  if (!options.trace.empty()) return options.trace;
  if (options.file == "-") return "stdin";
  std::filesystem::path path(options.file);
  if (path.extension() == ".gz") path = path.stem();
  return path.filename().string();
}

std::unique_ptr<EventReader> open_reader(const ImportOptions& options, std::string_view beginning, EventSink& sink) {
  const bool is_log = options.format == Format::shiviz || (options.format == Format::automatic &&
                                                           (!options.parser.empty() || begins_with_parser(beginning)));
  if (is_log) return std::make_unique<ShivizReader>(sink, options.parser, trace_of(options), options.date_order);
  return std::make_unique<EventSplitter>(sink);
}

/// Reads the whole file into `sink`.
void read_all(const ImportOptions& options, Input& input, Report& report, EventSink& sink) {
  std::string beginning;
  std::string piece;
  // A pipe may give a few bytes at first; what it is shows by its first line.
  while (beginning.size() < enough_to_tell && beginning.find('\n') == std::string::npos && input.read(piece)) {
    beginning += piece;
  }
  const auto reader = open_reader(options, beginning, sink);
  reader->feed(beginning);
  while (input.read(piece)) reader->feed(piece);
  reader->finish();
  if (input.damage()) report.unreadable(*input.damage());
}

}  // namespace

int import_events(const ImportOptions& options, const config::Config& config) {
  const auto endpoint = find_endpoint(options.to, options.api_key, config);
  Input input(options.file);
  Report report(std::cerr);
  Progress progress([&] { return ProgressState{report.events(), input.consumed(), input.size()}; });
  DeliveryOptions delivery;
  delivery.jobs = options.jobs;
  delivery.batch_events = options.batch_size;
  delivery.give_up = options.give_up;
  try {
    Delivery sink(prepare_target(endpoint, options.give_up), delivery, report);
    read_all(options, input, report, sink);
    sink.finish();
  } catch (...) {
    progress.stop();
    std::cout << report.summary() << "; not finished: run it again, what is in already counts as duplicates\n";
    throw;
  }
  progress.stop();
  std::cout << report.summary() << '\n';
  return report.has_problems() ? 1 : 0;
}

}  // namespace raceway::server::moving
