#include "http/trace_answers.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "analysis/global_report.hpp"
#include "analysis/trace_analysis.hpp"
#include "analysis/trace_view.hpp"
#include "http/envelope.hpp"
#include "http/query.hpp"
#include "wire/timestamp.hpp"
#include "wire/writer.hpp"

namespace raceway::server::http {
namespace {

/// An element of a JSON array, with what separates it from the one before.
class Elements {
 public:
  explicit Elements(const Write& write) : write_(write) {}
  bool operator()(const wire::Row& event) {
    text_.assign(first_ ? "" : ",");
    first_ = false;
    wire::append_sdk_event(text_, event);
    return write_(text_);
  }

 private:
  const Write& write_;
  std::string text_;
  bool first_ = true;
};

/// A trace that is shown: its events, and the places of those that are asked for, in causal order. Outlives the stream.
struct ShownTrace {
  std::unique_ptr<storage::TraceEvents> events;
  std::optional<analysis::TraceAnalysis> analysis;
  std::optional<analysis::TraceView> view;
  storage::ByteBudget::Hold hold;
  std::vector<std::uint32_t> order;
  std::span<const std::uint32_t> places;
  std::string begin;
  std::string end;

  bool write(const http::Write& write) {
    return write(begin) && events->each_of(places, Elements(write)) && write("]") && view->write(write) && write(end);
  }
};

std::string id_at(storage::TraceEvents& events, std::uint32_t place) {
  std::string id;
  events.each_of({&place, 1}, [&](const wire::Row& row) {
    id = row.event_id;
    return true;
  });
  return id;
}

/// Cuts `shown.places` to the page; says in `shown.end` how it goes on.
void cut_page(ShownTrace& shown, const EventPage& page) {
  if (page.after) {
    const auto found = shown.analysis->find(*page.after);
    if (!found) throw Refusal(400, "after: the trace has no event " + *page.after);
    shown.places = shown.places.subspan(shown.analysis->happened().place(*found) + std::size_t{1});
  }
  const bool more = page.limit && *page.limit < shown.places.size();
  if (more) shown.places = shown.places.first(static_cast<std::size_t>(*page.limit));
  std::string json = R"(,"total_events":)" + std::to_string(shown.order.size()) + R"(,"next_after":)";
  json += more ? json_string(id_at(*shown.events, shown.places.back())) : "null";
  shown.end += json;
}

/// More than this is sent as it is made.
constexpr std::uint32_t events_of_a_body = 1'000;

}  // namespace

void append_number(std::string& out, const char* name, std::uint64_t value) {
  out += ",\"";
  out += name;
  out += "\":" + std::to_string(value);
}

void append_summary(std::string& out, const storage::TraceSummary& trace, std::string_view zone) {
  out += R"({"trace_id":)" + json_string(trace.trace_id);
  append_number(out, "event_count", trace.event_count);
  out += R"(,"first_timestamp":")";
  wire::append_timestamp(out, {trace.first_timestamp, 0}, zone);
  out += R"(","last_timestamp":")";
  wire::append_timestamp(out, {trace.last_timestamp, 0}, zone);
  out += '"';
  append_number(out, "service_count", trace.services.size());
  out += R"(,"services":[)";
  for (std::size_t at = 0; at < trace.services.size(); ++at) {
    if (at > 0) out += ',';
    out += json_string(trace.services[at]);
  }
  out += ']';
}

EventPage query_event_page(const Request& request) {
  EventPage page;
  if (const auto after = request.query_parameter("after")) page.after = std::string(*after);
  if (const auto limit = request.query_parameter("limit")) page.limit = query_number(request, "limit", 0, 1);
  return page;
}

analysis::Anomalies anomalies_of(Api& api, analysis::TraceAnalysis& trace, std::string_view trace_id) {
  analysis::Anomalies anomalies;
  if (!analysis::tells_durations(trace)) return anomalies;
  api.roll_ups.peek([&](const analysis::RolledUp& all) { anomalies = analysis::find_anomalies(all, trace, trace_id); });
  return anomalies;
}

Response show_trace(Api& api, std::string_view trace_id, std::unique_ptr<storage::TraceEvents> events,
                    const EventPage& page) {
  const auto shown = std::make_shared<ShownTrace>();
  shown->events = std::move(events);
  shown->analysis.emplace(*shown->events, api.budget);
  shown->view.emplace(*shown->analysis, trace_id, anomalies_of(api, *shown->analysis, trace_id).list, !page.asked());
  shown->hold = api.budget.hold();
  shown->hold.grow(shown->events->count() * sizeof(std::uint32_t));
  shown->order = shown->analysis->places();
  shown->places = shown->order;
  shown->begin = R"({"success":true,"data":{"trace_id":)" + json_string(trace_id) + R"(,"events":[)";
  if (page.asked()) cut_page(*shown, page);
  shown->end += R"(},"error":null})";
  Response response;
  if (shown->places.size() > events_of_a_body) {
    response.stream = [shown](const Write& write) { return shown->write(write); };
    return response;
  }
  shown->write([&](std::string_view piece) {
    response.body += piece;
    return true;
  });
  return response;
}

Response export_traces(storage::Storage& storage, const storage::TraceFilter& filter, storage::ByteBudget& budget) {
  storage.check();  // once the answer has begun it is too late for a 503
  Response response;
  response.stream = [&storage, &budget, filter](const Write& write) {
    bool first = true;
    const auto begin = [&](std::uint64_t total) {
      write(R"({"success":true,"data":{"total_traces":)" + std::to_string(total) + R"(,"traces":[)");
    };
    const auto visit = [&](const storage::TraceSummary& trace, storage::TraceEvents& events) {
      const auto order = analysis::TraceAnalysis(events, budget).places();
      std::string json = first ? "\n" : ",\n";
      first = false;
      append_summary(json, trace, "+00:00");
      json += R"(,"as_of":")";
      wire::append_timestamp(json, {wire::micros_of(events.as_of()), 0}, "+00:00");
      json += '"';
      return write(json + R"(,"events":[)") && events.each_of(order, Elements(write)) && write("]}");
    };
    storage.each_trace(filter, begin, visit);
    return write("\n]},\"error\":null}\n");
  };
  return response;
}

}  // namespace raceway::server::http
