#include "moving/span_reader.hpp"

#include <algorithm>
#include <stdexcept>

#include "moving/event_text.hpp"
#include "wire/batch.hpp"
#include "wire/otlp_protobuf.hpp"

namespace raceway::server::moving {
namespace {

void append_event(std::string& line, const wire::Event& event) {
  std::string clock;
  std::string metadata;
  if (event.has_clock) wire::append_json_clock(clock, event.clock);
  wire::append_json(metadata, event.metadata);
  wire::Row row;
  row.event_id = event.event_id;
  row.trace_id = event.trace_id;
  row.kind = event.kind;
  row.timestamp = event.timestamp;
  row.duration_ms = event.duration_ms;
  row.location = event.location;
  row.vector_clock = clock;
  row.metadata = metadata;
  append_row(line, row);
}

}  // namespace

bool begins_with_spans(std::string_view beginning) {
  if (wire::is_otlp_protobuf(beginning)) return true;
  if (beginning.starts_with(byte_order_mark)) beginning.remove_prefix(byte_order_mark.size());
  // The first name that tells; those of events may hold the others somewhere in their values.
  std::size_t first = std::string_view::npos;
  for (const std::string_view name : {"\"event_id\"", "\"trace_id\"", "\"id\""}) {
    // A span of Zipkin has an id, too.
    if (name != "\"id\"" || beginning.find("\"traceId\"") == std::string_view::npos) {
      first = std::min(first, beginning.find(name));
    }
  }
  return std::ranges::any_of(std::initializer_list<std::string_view>{"\"resourceSpans\"", "\"traceID\"", "\"traceId\""},
                             [&](std::string_view name) { return beginning.find(name) < first; });
}

void SpanReader::feed(std::string_view piece) {
  if (!begun_) {
    begun_ = true;
    if (piece.starts_with(byte_order_mark)) piece.remove_prefix(byte_order_mark.size());
    is_protobuf_ = wire::is_otlp_protobuf(piece);
  }
  text_ += piece;
  if (!is_protobuf_) find_end();
  if (text_.size() > largest_document) {
    throw std::runtime_error("a document of spans has more than " + std::to_string(largest_document) +
                             " bytes; divide it, a request a line");
  }
}

/// Reads each document whose end has come.
void SpanReader::find_end() {
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (in_string_) {
      const bool ends = c == '"' && !escaped_;
      escaped_ = c == '\\' && !escaped_;
      in_string_ = !ends;
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && depth_ > 0 && --depth_ == 0) {
      read_document(at_);
    }
  }
}

void SpanReader::read_document(std::size_t size) {
  const std::string_view document = std::string_view(text_).substr(0, size);
  std::string line;
  try {
    const wire::Batch batch = wire::read_batch(document);
    for (const auto& event : batch.events) {
      line.clear();
      append_event(line, event);
      sink_.event(line, place_);
      ++place_.index;
    }
    for (const auto& [index, id, reason] : batch.rejected.told()) {
      std::string what = "span " + std::to_string(index);
      if (!id.empty()) what.append(" (").append(id).append(")");
      sink_.damage(place_, what.append(": ").append(reason));
    }
    const auto untold = batch.rejected.untold();
    if (untold > 0) sink_.damage(place_, std::to_string(untold) + " more spans behind it cannot be kept");
  } catch (const wire::BodyError& error) {
    sink_.damage(place_, error.what());
  }
  place_.line += static_cast<std::uint64_t>(std::count(document.begin(), document.end(), '\n'));
  place_.byte += size;
  text_.erase(0, size);
  at_ = 0;
}

void SpanReader::finish() {
  const bool is_rest = text_.find_first_not_of(" \t\r\n") != std::string::npos;
  if (is_protobuf_ || is_rest) read_document(text_.size());
}

}  // namespace raceway::server::moving
