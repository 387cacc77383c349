#include "moving/file_reading.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "moving/event_splitter.hpp"
#include "moving/shiviz_reader.hpp"
#include "moving/span_reader.hpp"

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

/// A pipe may give a few bytes at first, and is not to be waited for longer than it takes: of a log its first line, of
/// JSON the first name of an id.
bool tells_what_it_is(std::string_view beginning) {
  const auto line_end = beginning.find('\n');
  if (line_end == std::string_view::npos) return false;
  const auto first = beginning.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  if (beginning[first] != '{' && beginning[first] != '[') return true;
  constexpr std::array<std::string_view, 5> names = {"\"id\"", "\"event_id\"", "\"trace_id\"", "\"traceID\"",
                                                     "\"traceId\""};
  return std::ranges::any_of(names, [&](auto name) { return beginning.find(name) != std::string_view::npos; });
}

std::unique_ptr<EventReader> open_reader(const ImportOptions& options, std::string_view beginning, EventSink& sink) {
  const bool is_log = options.format == Format::shiviz || (options.format == Format::automatic &&
                                                           (!options.parser.empty() || begins_with_parser(beginning)));
  if (is_log) return std::make_unique<ShivizReader>(sink, options.parser, trace_of(options), options.date_order);
  const bool is_of_spans =
      options.format == Format::otlp || (options.format == Format::automatic && begins_with_spans(beginning));
  if (is_of_spans) return std::make_unique<SpanReader>(sink);
  return std::make_unique<EventSplitter>(sink);
}

}  // namespace

void read_file(const ImportOptions& options, Input& input, EventSink& sink) {
  std::string beginning;
  std::string piece;
  while (beginning.size() < enough_to_tell && !tells_what_it_is(beginning) && input.read(piece)) {
    beginning += piece;
  }
  const auto reader = open_reader(options, beginning, sink);
  reader->feed(beginning);
  while (input.read(piece)) reader->feed(piece);
  reader->finish();
}

}  // namespace raceway::server::moving
