#include <atomic>
#include <iostream>

#include "moving/moving.hpp"
#include "moving/otlp_writer.hpp"
#include "moving/output.hpp"
#include "moving/progress.hpp"
#include "moving/shiviz_writer.hpp"
#include "moving/source.hpp"
#include "terminal/for_terminal.hpp"

namespace raceway::server::moving {
namespace {

/// Puts events into a file in one of the formats.
class EventWriter {
 public:
  EventWriter(Format format, Output& output) : format_(format), output_(output) {
    if (format_ == Format::json) output_.write("{\"events\":[");
    if (format_ == Format::shiviz) output_.write(shiviz_header());
  }

  void write(std::string_view event) {
    piece_.clear();
    switch (format_) {
      case Format::shiviz:
        shiviz_.append(piece_, event);
        break;
      case Format::otlp:
        otlp_.append(piece_, event);
        break;
      case Format::json:
        piece_ += is_first_ ? "\n" : ",\n";
        piece_ += event;
        break;
      default:
        piece_ += event;
        piece_ += '\n';
    }
    is_first_ = false;
    write_piece();
  }

  void finish() {
    piece_.clear();
    if (format_ == Format::json) piece_ = "\n]}\n";
    if (format_ == Format::shiviz) shiviz_.finish(piece_);
    if (format_ == Format::otlp) otlp_.finish(piece_);
    write_piece();
    output_.finish();
  }

  /// What the file shows otherwise than it was recorded.
  const ShivizChanges& changes() const { return shiviz_.changes(); }
  std::uint64_t of_no_span() const { return otlp_.left_out(); }

 private:
  /// On a terminal what came from elsewhere is made visible; of JSON nothing is changed by it.
  void write_piece() {
    if (output_.is_terminal()) {
      piece_ = format_ == Format::shiviz ? terminal::for_terminal(piece_) : terminal::json_for_terminal(piece_);
    }
    output_.write(piece_);
  }

  const Format format_;
  Output& output_;
  ShivizWriter shiviz_;
  OtlpWriter otlp_;
  std::string piece_;
  bool is_first_ = true;
};

}  // namespace

int export_events(const ExportOptions& options, const config::Config& config) {
  const auto source = open_source(find_endpoint(options.from, options.api_key, config));
  Output output(options.output, options.gzip);
  EventWriter writer(options.format, output);
  std::atomic<std::uint64_t> count = 0;
  Progress progress([&count] { return ProgressState{count, 0, std::nullopt}; });
  const bool by_trace = options.format == Format::shiviz || options.format == Format::otlp;
  const auto missing = source->each_event(options.selection, by_trace, [&](std::string_view event) {
    writer.write(event);
    ++count;
  });
  writer.finish();
  progress.stop();
  for (const auto& id : missing) std::cerr << "there is no trace " << terminal::line_for_terminal(id) << '\n';
  std::cerr << writer.changes().text();
  if (writer.of_no_span() > 0) std::cerr << writer.of_no_span() << " events are of no span and left out\n";
  if (options.output != "-")
    std::cerr << "exported " << count - writer.changes().left_out - writer.of_no_span() << " events\n";
  return missing.empty() ? 0 : 1;
}

}  // namespace raceway::server::moving
