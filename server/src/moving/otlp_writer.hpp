// Spans as OTLP's JSON, out of the events that they became (wire/span_events.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace raceway::server::moving {

/// Takes events trace by trace and holds those of one trace. Writes a request a line for each, as the OpenTelemetry
/// Collector's file exporter does. Events that are of no span are left out.
class OtlpWriter {
 public:
  /// `text` is an event in the form of event_text. Appends the trace before it where it begins another one.
  void append(std::string& out, std::string_view text);

  /// Appends the last trace.
  void finish(std::string& out);

  /// So many events were of no span.
  std::uint64_t left_out() const { return left_out_; }

 private:
  using Document = nlohmann::json;

  void write_trace(std::string& out);
  const Document* find(const std::string& span_id, const std::string& suffix) const;
  /// `otel` is what the start says of the span.
  Document span_of(const Document& start, const Document& otel, const std::string& span_id, const std::string& half);

  std::string trace_;
  std::map<std::string, Document> events_;  // by id
  std::uint64_t written_ = 0;               // of the trace at hand
  std::uint64_t left_out_ = 0;
};

}  // namespace raceway::server::moving
