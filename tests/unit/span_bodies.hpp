// Bodies of spans in OTLP, written by another way than the one they are read by.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace raceway::wire::test {

/// A request in OTLP's JSON as the same request in protobuf.
std::string protobuf_of(const nlohmann::json& request);

/// A request of one resource and one scope with these spans.
nlohmann::json request_of(const nlohmann::json& spans);

/// A span of OTLP's JSON that began and ended; with `more` members, or others.
nlohmann::json span_of(const std::string& span_id, const nlohmann::json& more = nlohmann::json::object());

/// An attribute of a name.
nlohmann::json attribute(const std::string& key, const nlohmann::json& value);

inline const std::string trace_of_spans = "5b8efff798038103d269b633813fc60c";
inline const std::string trace_of_spans_as_uuid = "5b8efff7-9803-8103-d269-b633813fc60c";

}  // namespace raceway::wire::test
