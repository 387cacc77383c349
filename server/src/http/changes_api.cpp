#include "http/changes_api.hpp"

#include <cmath>
#include <string>

#include "analysis/json.hpp"
#include "http/envelope.hpp"
#include "http/query.hpp"
#include "http/trace_answers.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::http {
namespace {

using analysis::append_count;
using analysis::append_key;
using analysis::append_text;
using analysis::append_time;

constexpr std::size_t most_changed_traces = 100;
constexpr std::uint64_t most_cleanups = 20;

void append_null(std::string& json, std::string_view name) {
  append_key(json, name);
  json += "null";
}

void append_fullness(std::string& json, const storage::Fullness& fullness) {
  append_count(json, "bytes", fullness.bytes);
  append_key(json, "limits");
  json += '{';
  append_count(json, "bytes", fullness.limits.max_bytes);
  append_count(json, "traces", fullness.limits.max_traces);
  append_count(json, "age_seconds", static_cast<std::uint64_t>(fullness.limits.max_age.count()));
  json += '}';
  append_key(json, "evicted");
  json += '{';
  for (std::size_t by = 0; by < storage::memory_limits; ++by) {
    append_key(json, storage::names_of_memory_limits[by]);
    json += '{';
    append_count(json, "traces", fullness.evicted[by].traces);
    append_count(json, "events", fullness.evicted[by].events);
    json += '}';
  }
  json += '}';
}

void append_report(std::string& json, const storage::DatabaseReport& report) {
  append_count(json, "bytes", report.bytes);
  append_null(json, "limits");
  append_null(json, "evicted");
  append_text(json, "partition_by", report.partition_by);
  append_count(json, "partitions", report.partitions);
  analysis::append_list(json, "cleanups", report.cleanups, [&](const storage::DatabaseReport::Cleanup& run) {
    append_time(json, "started", {run.started, 0}, "Z");
    if (run.ended) {
      append_time(json, "finished", {*run.ended, 0}, "Z");
    } else {
      append_null(json, "finished");
    }
    append_text(json, "rule", run.rule);
    append_text(json, "outcome", run.outcome);
    append_count(json, "deleted_traces", run.traces);
    append_count(json, "deleted_events", run.events);
    append_count(json, "deleted_bytes", run.bytes);
  });
}

}  // namespace

Response get_changes(Api& api, const Request& request) {
  constexpr std::uint64_t latest = 253'402'300'800'000'000;  // the year 10000
  std::optional<std::int64_t> since;
  if (request.query_parameter("since"))
    since = static_cast<std::int64_t>(std::min(query_number(request, "since", 0, 0), latest));
  const auto changes = api.storage.changes(since, most_changed_traces);
  const auto beat = api.pulse.feel(api.storage, api.ingestor);
  const auto evicted = api.storage.fullness().value_or(storage::Fullness()).evicted_in_all();
  std::string json = R"({"cursor":")" + std::to_string(changes.as_of) + R"(","traces":[)";
  for (const auto& trace : changes.traces) {
    if (json.back() == '}') json += ',';
    append_summary(json, trace, "+00:00");
    json += '}';
  }
  json += ']';
  analysis::append_flag(json, "more", changes.more);
  append_count(json, "events_captured", beat.totals.events);
  append_count(json, "traces_active", beat.totals.traces);
  append_count(json, "evicted_traces", evicted.traces);
  append_count(json, "evicted_events", evicted.events);
  analysis::append_real(json, "events_per_second", std::round(beat.events_per_second * 10) / 10);
  return success(json + '}');
}

Response get_storage(Api& api) {
  const auto report = api.storage.database_report(most_cleanups);
  const auto fullness = api.storage.fullness();
  std::string json = "{";
  append_text(json, "backend", report ? "postgres" : "memory");
  append_key(json, "edition");
  json += report ? json_string(report->edition) : "null";
  append_text(json, "version", RACEWAY_VERSION);
  if (report) {
    append_report(json, *report);
  } else {
    if (fullness) append_fullness(json, *fullness);
    append_null(json, "partition_by");
    append_null(json, "partitions");
    json += ",\"cleanups\":[]";
  }
  analysis::append_texts(json, "listening", api.listening);
  analysis::append_list(json, "rejected_lately", api.ingestor.figures().rejected_lately.last(), [&](const auto& each) {
    append_time(json, "time", {wire::micros_of(each.time), 0}, "Z");
    append_text(json, "reason", ingest::reject_classes.at(static_cast<std::size_t>(each.reason)));
    append_count(json, "count", each.count);
  });
  return success(json + '}');
}

}  // namespace raceway::server::http
