// Files of spans: OTLP in JSON or protobuf, as the OpenTelemetry Collector's file exporter writes it, the JSON of
// Jaeger and of Zipkin. What a document holds is for wire/batch.hpp to tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "moving/event_sink.hpp"

namespace raceway::server::moving {

/// Whether a file that begins so holds spans.
bool begins_with_spans(std::string_view beginning);

/// Takes any number of documents in JSON behind each other, or one in protobuf; holds one of them.
class SpanReader : public EventReader {
 public:
  static constexpr std::size_t largest_document = std::size_t{512} << 20U;

  explicit SpanReader(EventSink& sink) : sink_(sink) {}

  /// Throws std::runtime_error where a document is larger.
  void feed(std::string_view piece) override;
  void finish() override;

 private:
  void find_end();
  void read_document(std::size_t size);

  EventSink& sink_;
  std::string text_;  // from the document under way on
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool begun_ = false;
  bool is_protobuf_ = false;
  Place place_;  // of text_
};

}  // namespace raceway::server::moving
