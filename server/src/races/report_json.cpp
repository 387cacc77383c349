#include <nlohmann/json.hpp>

#include "races/report.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::races {
namespace {

using Json = nlohmann::ordered_json;

std::string time_of(const analysis::EventDetails& event) {
  std::string text;
  wire::append_timestamp(text, event.time, "Z");
  return text;
}

Json value_of(const std::string& json) {
  return json.empty() ? Json() : Json::parse(json);
}

Json event_json(const analysis::EventDetails& event) {
  return {{"id", event.id},
          {"timestamp", time_of(event)},
          {"service", event.service},
          {"thread", event.thread},
          {"location", event.location},
          {"kind", event.kind},
          {"access", event.access.empty() ? Json() : Json(event.access)},
          {"old_value", value_of(event.old_value)},
          {"new_value", value_of(event.new_value)}};
}

Json places_json(const RacingPlaces& places) {
  const Example& example = places.example;
  return {{"variable", places.variable},
          {"severity", severity_of(example.race_class)},
          {"site1", places.site1},
          {"access1", places.access1},
          {"site2", places.site2},
          {"access2", places.access2},
          {"pairs", places.pairs},
          {"protected", places.guarded},
          {"traces", places.traces},
          {"example",
           {{"trace_id", example.trace_id},
            {"class", name_of(example.race_class)},
            {"sharing", name_of(example.sharing)},
            {"event1", event_json(example.one)},
            {"event2", event_json(example.two)},
            {"last_common", example.last_common ? event_json(*example.last_common) : Json()}}}};
}

std::string message_of(const RacingPlaces& places) {
  const bool both_write = places.is_critical();
  return std::string(both_write ? "Two writes" : "A read and a write") + " of " + places.variable + " at " +
         places.site1 + " and " + places.site2 + " that nothing orders: " + std::to_string(places.pairs) +
         (places.pairs == 1 ? " pair" : " pairs") + " in " + std::to_string(places.traces) +
         (places.traces == 1 ? " trace" : " traces") + ", such as " + places.example.one.id + " and " +
         places.example.two.id + " of " + places.example.trace_id;
}

Json location_json(const std::string& place) {
  const FilePlace at = file_place(place);
  Json location = {{"artifactLocation", {{"uri", at.file}}}};
  if (at.line > 0) location["region"] = {{"startLine", at.line}};
  return {{"physicalLocation", location}};
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // XML has no way to say other control characters.
        out += static_cast<unsigned char>(c) < ' ' ? '?' : c;
    }
  }
  return out;
}

}  // namespace

std::string report_json(const Search& search, const Suppressions& suppressions) {
  Json json = {{"traces", search.traces},
               {"events", search.events},
               {"critical", search.critical},
               {"warnings", search.warnings},
               {"suppressed", search.suppressed},
               {"races", Json::array()},
               {"unmatched_suppressions", Json::array()}};
  for (const auto& places : search.places) json["races"].push_back(places_json(places));
  for (const auto& line : suppressions.lines()) {
    if (!line.matched)
      json["unmatched_suppressions"].push_back(
          {{"line", line.number}, {"variable", line.variable}, {"place", line.place}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string report_sarif(const Search& search) {
  const auto rule = [](const char* id, const char* text) {
    return Json{{"id", id}, {"shortDescription", {{"text", text}}}};
  };
  Json results = Json::array();
  for (const auto& places : search.places) {
    results.push_back({{"ruleId", name_of(places.example.race_class)},
                       {"level", places.is_critical() ? "error" : "warning"},
                       {"message", {{"text", message_of(places)}}},
                       {"locations", Json::array({location_json(places.site1)})},
                       {"relatedLocations", Json::array({location_json(places.site2)})},
                       {"partialFingerprints", {{"places/v1", signature_of(places)}}}});
  }
  const Json driver = {{"name", "raceway"},
                       {"version", RACEWAY_VERSION},
                       {"rules", Json::array({rule("write-write", "Two writes that nothing orders"),
                                              rule("read-write", "A read and a write that nothing orders")})}};
  const Json json = {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                     {"version", "2.1.0"},
                     {"runs", Json::array({{{"tool", {{"driver", driver}}}, {"results", results}}})}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string report_junit(const Search& search, bool warnings_fail) {
  std::size_t failures = 0;
  std::string cases;
  for (const auto& places : search.places) {
    const bool fails = warnings_fail || places.is_critical();
    cases += "  <testcase classname=\"raceway.races\" name=\"" +
             escaped(places.variable + ": " + places.site1 + " and " + places.site2) + "\">";
    if (fails) {
      ++failures;
      cases += "<failure type=\"" + std::string(name_of(places.example.race_class)) + "\" message=\"" +
               escaped(message_of(places)) + "\"/>";
    }
    cases += "</testcase>\n";
  }
  if (search.places.empty()) cases = "  <testcase classname=\"raceway.races\" name=\"no races\"></testcase>\n";
  const std::size_t tests = std::max<std::size_t>(search.places.size(), 1);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"raceway races\" tests=\"" +
         std::to_string(tests) + "\" failures=\"" + std::to_string(failures) + "\">\n" + cases + "</testsuite>\n";
}

}  // namespace raceway::server::races
