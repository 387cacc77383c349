#include "moving/source_http.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "moving/event_splitter.hpp"
#include "wire/errors.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving {
namespace {

constexpr std::chrono::seconds busy_for_at_most{60};

std::string query_of(const Selection& selection) {
  std::string query;
  const auto add = [&](const char* name, const std::string& value) {
    query += (query.empty() ? "?" : "&") + std::string(name) + "=" + percent_encoded(value);
  };
  const auto time = [](wire::Micros micros) {
    std::string text;
    wire::append_timestamp(text, {micros, 0}, "Z");
    return text;
  };
  if (selection.service) add("service", *selection.service);
  if (selection.since) add("from", time(*selection.since));
  if (selection.until) add("to", time(*selection.until));
  return query;
}

}  // namespace

/// Takes the events of an answer and visits them as event_text writes them.
class HttpSource::Converter : public EventSink {
 public:
  Converter(HttpSource& source, const VisitEvent& visit) : source_(source), visit_(visit) {}

  void event(std::string_view text, const Place& place) override {
    text_.clear();
    try {
      append_api_event(text_, text, source_.unsaid(text));
    } catch (const wire::EventError& error) {
      damage(place, error.what());
    } catch (const wire::BodyError& error) {
      damage(place, error.what());
    }
    visit_(text_);
  }

  void damage(const Place& place, const std::string& what) override {
    throw ServerError(source_.endpoint_.shown + " answered what no server of this kind does, at byte " +
                      std::to_string(place.byte) + ": " + what);
  }

 private:
  HttpSource& source_;
  const VisitEvent& visit_;
  std::string text_;
};

/// Asked for once, and only where it matters: the server may have to look through all events.
const Unsaid& HttpSource::unsaid(std::string_view sdk_event) {
  static constexpr Unsaid nothing;
  if (unsaid_) return *unsaid_;
  if (sdk_event.find(R"("service_name":"")") == std::string_view::npos) return nothing;
  HttpClient beside(endpoint_);
  std::string body;
  const auto answer = beside.get("/api/services", [&](std::string_view piece) { body += piece; });
  if (answer.status != 200) throw ServerError(endpoint_.shown + ": " + answer.body);
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_discarded()) throw ServerError(endpoint_.shown + " does not say its services");
  const auto services = json.value(nlohmann::json::json_pointer("/data/services"), nlohmann::json::array());
  const auto is_nameless = [](const nlohmann::json& service) { return service.value("name", "?").empty(); };
  unsaid_ = Unsaid{std::none_of(services.begin(), services.end(), is_nameless)};
  return *unsaid_;
}

ServerAnswer HttpSource::get_events(const std::string& path, const VisitEvent& visit) {
  const auto give_up = std::chrono::steady_clock::now() + busy_for_at_most;
  while (true) {
    Converter converter(*this, visit);
    EventSplitter splitter(converter);
    auto answer = client_.get(path, [&](std::string_view piece) { splitter.feed(piece); });
    if (answer.status == 200) splitter.finish();
    const bool is_busy = answer.status == 503 || answer.status == 429;
    if (!is_busy || std::chrono::steady_clock::now() >= give_up) return answer;
    std::this_thread::sleep_for(answer.retry_after.value_or(std::chrono::seconds(1)));
  }
}

std::vector<std::string> HttpSource::each_event(const Selection& selection, bool /*by_trace*/,
                                                const VisitEvent& visit) {
  std::vector<std::string> missing;
  const auto require = [&](const ServerAnswer& answer) {
    if (answer.status != 200) throw ServerError(endpoint_.shown + ": " + answer.body);
  };
  if (selection.traces.empty()) require(get_events("/api/traces" + query_of(selection), visit));
  for (const auto& id : selection.traces) {
    const auto answer = get_events("/api/traces/" + percent_encoded(id), visit);
    // An id that is no UUID and not there is told as a bad one.
    if (answer.status == 404 || answer.status == 400) {
      missing.push_back(id);
    } else {
      require(answer);
    }
  }
  return missing;
}

}  // namespace raceway::server::moving
