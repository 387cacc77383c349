// Spans become events: a chain for each span, causes between spans, races by attributes; the same by both encodings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "span_bodies.hpp"
#include "wire/batch.hpp"
#include "wire/name_uuid.hpp"
#include "wire/span.hpp"
#include "wire_body_check.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string span_id = "eee19b7ec3c1b174";
// As any other program computes them: UUID version 5, in the namespace of the trace's id.
const std::string id_of_start = "f8daf881-3af4-562a-8857-16be174341a1";   // of "eee19b7ec3c1b174"
const std::string id_of_moment = "60ff75c9-67ea-5b78-8f78-ed593589f6ef";  // of "eee19b7ec3c1b174:1"
const std::string id_of_end = "e229faec-19ee-558e-a25b-18cfcbea3786";     // of "eee19b7ec3c1b174:end"
const std::string id_of_parent = "ce4d4b40-e14b-57c7-8fe6-243e5a47e251";  // of "eee19b7ec3c1b173"

/// The rows that a request's spans become, in the body's order; both encodings give the same.
std::vector<json> rows_of(const json& request) {
  const std::string text = request.dump();
  EXPECT_EQ(outcome_of(text), outcome_of(protobuf_of(request)));
  std::vector<json> rows;
  const Batch batch = read_batch(text);
  EXPECT_TRUE(batch.rejected.empty()) << batch.rejected.told().front().reason;
  for (const auto& event : batch.events) {
    std::string metadata;
    append_json(metadata, event.metadata);
    json& row = rows.emplace_back(json{{"id", event.event_id},
                                       {"trace", event.trace_id},
                                       {"kind", event.kind},
                                       {"time", event.timestamp},
                                       {"index", event.index},
                                       {"metadata", json::parse(metadata)}});
    if (event.duration_ms) row["duration"] = *event.duration_ms;
    if (event.location) row["location"] = *event.location;
    for (const auto& [name, counter] : event.clock) row["clock"][std::string(name)] = counter;
  }
  return rows;
}

std::vector<json> rows_of_span(const json& more) {
  return rows_of(request_of(json::array({span_of(span_id, more)})));
}

/// The otel part of a row's metadata.
json otel(const json& row) {
  return row["metadata"].value("metadata_fields", json::object()).value("otel", json::object());
}

/// Why the only span of a request is not kept, by both encodings.
std::string reason_for(const json& span) {
  const json request = request_of(json::array({span}));
  std::vector<std::string> reasons;
  for (const auto& body : {request.dump(), protobuf_of(request)}) {
    const Batch batch = read_batch(body);
    EXPECT_EQ(batch.count, 1U);
    EXPECT_TRUE(batch.events.empty());
    reasons.push_back(batch.rejected.empty() ? "" : batch.rejected.told().front().reason);
  }
  return reasons[0] == reasons[1] ? reasons[0] : reasons[0] + " / " + reasons[1];
}

TEST(Span, IsAChainOfItsStartItsMomentsAndItsEnd) {
  const auto rows = rows_of_span({{"parentSpanId", "eee19b7ec3c1b173"},
                                  {"events", {{{"timeUnixNano", "1700000000001000000"}, {"name", "half"}}}}});
  ASSERT_EQ(rows.size(), 3U);
  const std::vector<std::string> ids = {id_of_start, id_of_moment, id_of_end};
  const std::vector<std::string> parents = {id_of_parent, id_of_start, id_of_moment};
  for (std::size_t at = 0; at < rows.size(); ++at) {
    EXPECT_EQ(rows[at]["id"], ids[at]);
    EXPECT_EQ(rows[at]["trace"], trace_of_spans_as_uuid);
    EXPECT_EQ(rows[at]["index"], 0);
    const json& metadata = rows[at]["metadata"];
    EXPECT_EQ(metadata["parent_id"], parents[at]);
    EXPECT_EQ(metadata["service_name"], "shop");
    EXPECT_EQ(metadata["instance_id"], "shop-1");
    EXPECT_EQ(metadata["distributed_span_id"], span_id);
    EXPECT_FALSE(rows[at].contains("clock"));
    EXPECT_EQ(rows[at].contains("duration"), at == 2);
  }
  EXPECT_EQ(rows[0]["kind"], "FunctionCall");
  EXPECT_EQ(rows[0]["metadata"]["function_name"], "pay");
  EXPECT_EQ(rows[0]["metadata"]["module"], "shop.orders");
  EXPECT_EQ(rows[0]["metadata"]["timestamp_nanos"], 123);
  EXPECT_EQ(rows[0]["location"], "pay");
  EXPECT_EQ(rows[1]["kind"], "Custom");
  EXPECT_EQ(rows[1]["metadata"]["name"], "half");
  EXPECT_EQ(rows[2]["kind"], "FunctionReturn");
  EXPECT_EQ(rows[2]["duration"], 2.5);
  EXPECT_EQ(rows[2]["metadata"]["duration_ns"], 2'500'000);
}

TEST(Span, ThatItsParentHasNotOrThatIsItsOwnParentHasNone) {
  EXPECT_FALSE(rows_of_span(json::object())[0]["metadata"].contains("parent_id"));
  const auto own = rows_of_span({{"parentSpanId", span_id}});
  EXPECT_FALSE(own[0]["metadata"].contains("parent_id"));
  EXPECT_EQ(otel(own[0])["parent_span_id"], span_id);
  EXPECT_FALSE(rows_of_span({{"parentSpanId", ""}})[0]["metadata"].contains("parent_id"));
  EXPECT_FALSE(rows_of_span({{"parentSpanId", "0000000000000000"}})[0]["metadata"].contains("parent_id"));
}

TEST(Span, NamesItsParentsSpanAsUpstreamWhereTheParentIsOfAnotherProcess) {
  const json parent = {{"parentSpanId", "eee19b7ec3c1b173"}};
  json remote = parent;
  remote["flags"] = 0x301;
  json local = parent;
  local["flags"] = 0x101;
  EXPECT_EQ(rows_of_span(remote)[0]["metadata"]["upstream_span_id"], "eee19b7ec3c1b173");
  EXPECT_FALSE(rows_of_span(local)[0]["metadata"].contains("upstream_span_id"));
  EXPECT_FALSE(rows_of_span(parent)[0]["metadata"].contains("upstream_span_id"));
}

TEST(Span, KeepsItsLinksWithTheEventsThatTheyLeadToInItsTrace) {
  const auto links = otel(rows_of_span(
      {{"links",
        {{{"traceId", trace_of_spans}, {"spanId", "eee19b7ec3c1b173"}, {"attributes", {attribute("why", "batch")}}},
         {{"traceId", "00000000000000000000000000000001"},
          {"spanId", "eee19b7ec3c1b173"},
          {"traceState", "a=b"}}}}})[0])["links"];
  ASSERT_EQ(links.size(), 2U);
  EXPECT_EQ(links[0]["event_id"], id_of_parent);
  EXPECT_EQ(links[0]["attributes"], json({{"why", "batch"}}));
  EXPECT_FALSE(links[1].contains("event_id"));
  EXPECT_EQ(links[1]["trace_id"], "00000000000000000000000000000001");
  EXPECT_EQ(links[1]["trace_state"], "a=b");
}

TEST(SpanKinds, FollowTheSemanticConventionsOfTodayAndOfBefore) {
  struct Case {
    json attributes;
    int kind;
    std::string start;
    json fields;
    std::string end;
  };
  const std::vector<Case> cases = {
      {{attribute("http.request.method", "GET"), attribute("url.full", "http://a/b"),
        attribute("http.response.status_code", 200)},
       3,
       "HttpRequest",
       {{"method", "GET"}, {"url", "http://a/b"}},
       "HttpResponse"},
      {{attribute("http.method", "PUT"), attribute("http.target", "/x")},
       2,
       "HttpRequest",
       {{"method", "PUT"}, {"url", "/x"}},
       "HttpResponse"},
      {{attribute("http.request.method", "GET"), attribute("url.path", "/b"), attribute("url.query", "q=1")},
       2,
       "HttpRequest",
       {{"url", "/b?q=1"}},
       "HttpResponse"},
      {{attribute("db.system.name", "postgresql"), attribute("db.query.text", "SELECT 1"),
        attribute("db.namespace", "shop")},
       3,
       "DatabaseQuery",
       {{"query", "SELECT 1"}, {"database", "shop"}},
       "DatabaseResult"},
      {{attribute("db.system", "mysql"), attribute("db.statement", "SELECT 2"), attribute("db.name", "old")},
       3,
       "DatabaseQuery",
       {{"query", "SELECT 2"}, {"database", "old"}},
       "DatabaseResult"},
      {json::array({attribute("messaging.system", "kafka")}), 4, "Custom", {{"name", "send"}}, "Custom"},
      {{attribute("messaging.system", "kafka"), attribute("messaging.operation.type", "receive")},
       5,
       "Custom",
       {{"name", "receive"}},
       "Custom"},
      {{attribute("code.function.name", "Bank.pay"), attribute("code.file.path", "bank.py"),
        attribute("code.line.number", 7)},
       1,
       "FunctionCall",
       {{"function_name", "Bank.pay"}, {"file", "bank.py"}, {"line", 7}},
       "FunctionReturn"},
      {{attribute("code.function", "pay"), attribute("code.namespace", "Bank")},
       1,
       "FunctionCall",
       {{"function_name", "pay"}, {"module", "Bank"}},
       "FunctionReturn"},
  };
  for (const auto& [attributes, kind, start, fields, end] : cases) {
    const auto rows = rows_of_span({{"attributes", attributes}, {"kind", kind}});
    EXPECT_EQ(rows[0]["kind"], start);
    EXPECT_EQ(rows[1]["kind"], end);
    for (const auto& [name, value] : fields.items()) EXPECT_EQ(rows[0]["metadata"][name], value) << attributes;
    EXPECT_EQ(rows[0]["metadata"]["tags"].size(), attributes.size());
  }
  EXPECT_EQ(rows_of_span({{"attributes", cases[0].attributes}})[1]["metadata"]["status"], 200);
  EXPECT_EQ(rows_of_span({{"attributes", cases[7].attributes}})[0]["location"], "bank.py:7");
}

TEST(SpanMoments, ShowRacesByRacewaysAttributes) {
  const json moments = {
      {{"name", "balance"},
       {"attributes",
        {attribute("raceway.variable", "balance"), attribute("raceway.access", "write"), attribute("raceway.old", 100),
         attribute("raceway.new", 70), attribute("code.file.path", "bank.py"), attribute("code.line.number", 12)}}},
      {{"name", "lock"}, {"attributes", {attribute("raceway.lock", "m"), attribute("raceway.op", "acquire")}}},
      {{"name", "unlock"}, {"attributes", {attribute("raceway.lock", "m"), attribute("raceway.op", "release")}}},
      {{"name", "peek"},
       {"attributes", {attribute("raceway.variable", "balance"), attribute("raceway.access", "atomic_read")}}},
      {{"name", "exception"},
       {"attributes",
        {attribute("exception.type", "ValueError"), attribute("exception.message", "no"),
         attribute("exception.stacktrace", "a\nb")}}}};
  const auto rows = rows_of_span({{"events", moments}});
  ASSERT_EQ(rows.size(), 7U);
  EXPECT_EQ(rows[1]["kind"], "StateChange");
  EXPECT_EQ(rows[1]["location"], "bank.py:12");
  const json& change = rows[1]["metadata"];
  EXPECT_EQ(change["variable"], "balance");
  EXPECT_EQ(change["access_type"], "Write");
  EXPECT_EQ(change["old_value"], 100);
  EXPECT_EQ(change["new_value"], 70);
  EXPECT_FALSE(change["tags"].contains("raceway.old"));
  EXPECT_EQ(rows[2]["kind"], "LockAcquire");
  EXPECT_EQ(rows[2]["metadata"]["lock_id"], "m");
  EXPECT_EQ(rows[3]["kind"], "LockRelease");
  EXPECT_EQ(rows[4]["metadata"]["access_type"], "AtomicRead");
  EXPECT_EQ(rows[5]["kind"], "Error");
  EXPECT_EQ(rows[5]["metadata"]["error_type"], "ValueError");
  EXPECT_EQ(rows[5]["metadata"]["stack_trace"], json({"a", "b"}));
}

TEST(Span, BringsAClockWhereItHasOne) {
  const json clock = {{"kvlistValue", {{"values", {attribute("a", 3), attribute("bb", 1)}}}}};
  EXPECT_EQ(rows_of_span({{"attributes", {attribute("raceway.clock", clock)}}})[0]["clock"],
            json({{"a", 3}, {"bb", 1}}));
}

TEST(SpanAttributes, KeepTheirTypes) {
  const json values = {
      {"arrayValue", {{"values", {{{"stringValue", "x"}}, {{"intValue", "2"}}, {{"boolValue", true}}}}}}};
  const auto tags =
      rows_of_span({{"attributes",
                     {attribute("whole", 5), attribute("double", 5.0), attribute("tiny", 1e-7), attribute("no", false),
                      attribute("list", values), attribute("bytes", {{"bytesValue", "AAECAwQ="}}),
                      attribute("nothing", json::object())}}})[0]["metadata"]["tags"];
  EXPECT_EQ(tags["whole"].dump(), "5");
  EXPECT_EQ(tags["double"].dump(), "5.0");
  EXPECT_EQ(tags["tiny"], 1e-7);
  EXPECT_EQ(tags["no"], false);
  EXPECT_EQ(tags["list"], json({"x", 2, true}));
  EXPECT_EQ(tags["bytes"], json({{"bytesValue", "AAECAwQ="}}));
  EXPECT_EQ(tags["nothing"], nullptr);
}

TEST(Span, WhoseTimesAreOddIsKeptWithThem) {
  const auto running = rows_of_span({{"endTimeUnixNano", "0"}, {"status", {{"code", 2}, {"message", "late"}}}});
  ASSERT_EQ(running.size(), 1U);
  EXPECT_EQ(otel(running[0])["status"], "ERROR");

  const auto backwards = rows_of_span({{"endTimeUnixNano", "1600000000000000000"}});
  EXPECT_EQ(backwards[1]["duration"], 0);
  EXPECT_LT(backwards[1]["time"], backwards[0]["time"]);
  EXPECT_EQ(otel(backwards[1])["ends_before_start"], true);

  const auto unbegun = rows_of_span({{"startTimeUnixNano", "0"}});
  EXPECT_EQ(unbegun[0]["time"], unbegun[1]["time"]);
  EXPECT_EQ(otel(unbegun[0])["start_missing"], true);
  EXPECT_FALSE(unbegun[1].contains("duration"));
}

TEST(Span, WithoutUsableIdsIsRejectedByItsPlace) {
  EXPECT_EQ(reason_for(span_of(span_id, {{"traceId", std::string(32, '0')}})), "the trace's id is all zeros");
  EXPECT_EQ(reason_for(span_of(std::string(16, '0'))), "the span's id is all zeros");
  EXPECT_THAT(reason_for(span_of("abcd")), HasSubstr("it is to have"));
  EXPECT_EQ(reason_for(span_of("")), "the span's id is all zeros");

  const json request = request_of(json::array({span_of(span_id), span_of("abcd"), span_of("eee19b7ec3c1b175")}));
  const Batch batch = read_batch(protobuf_of(request));
  EXPECT_EQ(batch.count, 3U);
  EXPECT_EQ(batch.events.size(), 4U);
  ASSERT_EQ(batch.rejected.count(), 1U);
  EXPECT_EQ(batch.rejected.told()[0].index, 1U);
}

TEST(OtlpJson, TakesIdsInBase64AndEnumsByTheirNames) {
  const json plain = request_of(json::array({span_of(span_id, {{"kind", 2}, {"status", {{"code", 1}}}})}));
  json other = plain;
  json& span = other["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
  span["traceId"] = "W47/95gDgQPSabYzgT/GDA==";
  span["spanId"] = "7uGbfsPBsXQ=";
  span["kind"] = "SPAN_KIND_SERVER";
  span["status"]["code"] = "STATUS_CODE_OK";
  span["startTimeUnixNano"] = 1700000000000000123;
  EXPECT_EQ(outcome_of(other.dump()), outcome_of(plain.dump()));
  json upper = plain;
  upper["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = "5B8EFFF798038103D269B633813FC60C";
  EXPECT_EQ(outcome_of(upper.dump()), outcome_of(plain.dump()));
}

TEST(OtlpJson, TakesFieldsInAnyOrder) {
  const json span = span_of(span_id);
  const std::string scope = R"({"spans":[)" + span.dump() + R"(],"scope":{"version":"1.2","name":"shop.orders"}})";
  const std::string resource = request_of(json::array())["resourceSpans"][0]["resource"].dump();
  EXPECT_EQ(outcome_of(R"({"resourceSpans":[{"scopeSpans":[)" + scope + R"(],"resource":)" + resource + "}]}"),
            outcome_of(request_of(json::array({span})).dump()));
}

TEST(OtlpBodies, WithoutSpansHoldNothingAndAreNoError) {
  EXPECT_EQ(outcome_of(R"({"resourceSpans":[]})"), "0, of them 0 bad\n");
  EXPECT_EQ(outcome_of(protobuf_of(request_of(json::array()))), "0, of them 0 bad\n");
}

TEST(OtlpBodies, WithATextThatNoDatabaseHoldsLoseThatSpanAlone) {
  json request =
      request_of(json::array({span_of(span_id, {{"name", std::string("a\0b", 3)}}), span_of("eee19b7ec3c1b175")}));
  for (const auto& body : {request.dump(), protobuf_of(request)}) {
    const Batch batch = read_batch(body);
    EXPECT_EQ(batch.events.size(), 2U);
    ASSERT_EQ(batch.rejected.count(), 1U);
    EXPECT_THAT(batch.rejected.told()[0].reason, HasSubstr("\\u0000"));
    EXPECT_EQ(batch.rejected.told()[0].index, 0U);
  }
  std::string broken = protobuf_of(request_of(json::array({span_of(span_id, {{"name", "abcdef"}})})));
  broken[broken.find("abcdef")] = '\xFF';
  EXPECT_THAT(read_batch(broken).rejected.told()[0].reason, HasSubstr("UTF-8"));
}

TEST(OtlpBodies, OfJsonThatBeginsWithALineAreNoProtobuf) {
  const std::string event = sdk_event("a").dump();
  EXPECT_EQ(ids_of(read_batch("\n" + event)).size(), 1U);
  EXPECT_THAT(*body_error("\n{\"a\":\"\x01\"}"), HasSubstr("not JSON"));
}

TEST(OtlpBodies, CutAtEveryByteAreAnsweredWithoutHarm) {
  const json moments = {{{"name", "m"}, {"attributes", {attribute("raceway.variable", "v")}}}};
  const json request = request_of(json::array({span_of(span_id, {{"events", moments}}), span_of("eee19b7ec3c1b175")}));
  for (const auto& body : {protobuf_of(request), request.dump()}) {
    for (std::size_t size = 1; size < body.size(); ++size) check_body(body.substr(0, size));
    check_body(body);
  }
}

RC_GTEST_PROP(OtlpBodies, WithBytesChangedAreAnsweredWithoutHarm, ()) {
  const json request =
      request_of(json::array({span_of(span_id, {{"attributes", {attribute("a", 1), attribute("b", "x")}}})}));
  std::string body = *rc::gen::arbitrary<bool>() ? protobuf_of(request) : request.dump();
  const int changes = *rc::gen::inRange(1, 5);
  for (int change = 0; change < changes; ++change) {
    body[*rc::gen::inRange(std::size_t{0}, body.size())] = static_cast<char>(*rc::gen::inRange(0, 256));
  }
  check_body(body);
}

TEST(OtlpBodies, NestedTooDeepLoseThatSpanAlone) {
  json deep = {{"stringValue", "x"}};
  for (int level = 0; level < 100; ++level) deep = {{"arrayValue", {{"values", {deep}}}}};
  const json request = request_of(
      json::array({span_of(span_id, {{"attributes", {attribute("deep", deep)}}}), span_of("eee19b7ec3c1b175")}));
  const Batch batch = read_batch(protobuf_of(request));
  EXPECT_EQ(batch.events.size(), 2U);
  EXPECT_THAT(batch.rejected.told()[0].reason, HasSubstr("nests deeper"));
  EXPECT_EQ(read_batch(request.dump()).events.size(), 2U);
}

TEST(OtlpBodies, TakeABoundedMultipleOfTheirBytes) {
  // The smallest attributes and the smallest moments there are.
  for (const auto& [field, count] : std::map<std::uint32_t, int>{{9, 1'000'000}, {11, 1'000'000}, {13, 500'000}}) {
    std::string span;
    for (const char byte : {char(10), char(16)}) span += byte;
    span += std::string(16, 'a');
    for (const char byte : {char(18), char(8)}) span += byte;
    span += std::string(8, 'b');
    for (int at = 0; at < count; ++at) (span += static_cast<char>(field << 3U | 2U)) += '\0';
    const auto framed = [](char tag, const std::string& content) {
      std::string size;
      for (std::size_t left = content.size();; left >>= 7U) {
        size += static_cast<char>((left & 127U) | (left > 127 ? 128U : 0U));
        if (left <= 127) break;
      }
      return tag + size + content;
    };
    const std::string body = framed('\n', framed('\x12', framed('\x12', span)));
    Allowance allowance;
    allowance.set_limit(memory_of_any_body);
    const Batch batch = read_batch(body, {.allowance = &allowance});
    EXPECT_EQ(batch.events.size() == 0, batch.rejected.count() == 1) << field;
    EXPECT_LE(allowance.in_use(), memory_of_any_body + 16 * body.size());
  }
}

/// The rows of a file of spans, by the kind and the span: "HttpRequest b7ad6b7169203331".
std::map<std::string, json> rows_of_file(const std::string& name) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../data/spans" / name);
  std::stringstream text;
  text << file.rdbuf();
  const std::string body = text.str();
  check_body(body);
  std::map<std::string, json> rows;
  const Batch batch = read_batch(body);
  EXPECT_TRUE(batch.rejected.empty());
  for (const auto& event : batch.events) {
    std::string metadata;
    append_json(metadata, event.metadata);
    json row = {{"id", event.event_id}, {"trace", event.trace_id}, {"metadata", json::parse(metadata)}};
    const auto span = row["metadata"]["distributed_span_id"].get<std::string>();
    const bool is_server_half = otel(row).contains("shared");
    rows[std::string(event.kind) + " " + span + (is_server_half ? " server" : "")] = row;
  }
  return rows;
}

TEST(JaegerJson, BecomesTheSpansThatItTells) {
  auto rows = rows_of_file("jaeger.json");
  ASSERT_EQ(rows.size(), 5U);  // two moments of one kind in one span
  const json& root = rows.at("HttpRequest b7ad6b7169203331");
  EXPECT_EQ(root["trace"], "00000000-0000-0000-4bf9-2f3577b34da6");
  EXPECT_EQ(root["metadata"]["service_name"], "frontend");
  EXPECT_EQ(root["metadata"]["instance_id"], "h1-17");
  EXPECT_EQ(root["metadata"]["url"], "/dispatch?customer=123");
  EXPECT_EQ(root["metadata"]["tags"]["sampler.param"].dump(), "1.0");
  EXPECT_EQ(otel(root)["kind"], "SERVER");
  EXPECT_EQ(rows.at("HttpResponse b7ad6b7169203331")["metadata"]["duration_ns"], 733'000'000);
  EXPECT_EQ(otel(rows.at("HttpResponse b7ad6b7169203331"))["status"], "OK");
  EXPECT_EQ(rows.at("Custom b7ad6b7169203331")["metadata"]["name"], "searching");
  const json& query = rows.at("DatabaseQuery 0000000000003331");
  EXPECT_EQ(query["metadata"]["parent_id"], root["id"]);
  EXPECT_EQ(query["metadata"]["service_name"], "mysql");
  EXPECT_EQ(query["metadata"]["tags"]["jaeger.warnings"], json::array({"clock skew adjustment disabled"}));
  EXPECT_EQ(otel(query)["links"][0]["trace_id"], "00000000000000000000000000000abc");
  EXPECT_EQ(otel(rows.at("DatabaseResult 0000000000003331"))["status"], "ERROR");
}

TEST(JaegerJson, MayBeATraceAlone) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "../data/spans/jaeger.json");
  const json whole = json::parse(file);
  EXPECT_EQ(outcome_of(whole["data"][0].dump()), outcome_of(whole.dump()));
}

TEST(ZipkinJson, TellsTheHalvesOfASharedSpanApart) {
  const auto rows = rows_of_file("zipkin.json");
  const json& client = rows.at("HttpRequest 90394f6bcffb5d13");
  const json& server = rows.at("FunctionCall 90394f6bcffb5d13 server");
  const json& query = rows.at("FunctionCall 67fae42571535f60");
  EXPECT_EQ(client["metadata"]["service_name"], "web");
  EXPECT_EQ(client["metadata"]["tags"]["peer.service"], "api");
  EXPECT_EQ(server["metadata"]["service_name"], "api");
  EXPECT_EQ(server["metadata"]["parent_id"], client["id"]);
  EXPECT_NE(server["id"], client["id"]);
  EXPECT_EQ(query["metadata"]["parent_id"], server["id"]);
  EXPECT_FALSE(rows.contains("FunctionReturn 67fae42571535f60"));  // it is running
  EXPECT_EQ(rows.at("FunctionReturn 0000000000000002")["metadata"]["duration_ns"], 0);
  EXPECT_EQ(rows.at("FunctionCall 0000000000000002")["metadata"]["service_name"], "unknown_service");
}

TEST(Events, WithFieldsNamedAsThoseOfSpansAreEvents) {
  json event = sdk_event("a");
  event["data"] = json::array({{{"spans", json::array()}}});
  event["spans"] = json::array({1});
  EXPECT_EQ(ids_of(read_batch(event.dump())).size(), 1U);
  EXPECT_EQ(ids_of(read_batch(json::array({event}).dump())).size(), 1U);
}

}  // namespace
}  // namespace raceway::wire::test
