#include "moving/file_reading.hpp"

#include <filesystem>
#include <memory>
#include <string>

#include "moving/event_splitter.hpp"
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

}  // namespace

void read_file(const ImportOptions& options, Input& input, EventSink& sink) {
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
}

}  // namespace raceway::server::moving
