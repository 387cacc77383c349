#include "wire_support.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

#include "memory/memory_storage.hpp"
#include "trace_support.hpp"
#include "wire/writer.hpp"

namespace raceway::wire::test {

using nlohmann::json;

json sdk_event(const std::string& id, const std::string& trace_id) {
  return {{"id", id},
          {"trace_id", trace_id},
          {"parent_id", nullptr},
          {"timestamp", "2024-01-01T12:00:00Z"},
          {"kind", {{"Custom", {{"name", "step"}, {"data", nullptr}}}}},
          {"metadata",
           {{"thread_id", "main"},
            {"process_id", 1},
            {"service_name", "shop"},
            {"environment", "test"},
            {"tags", json::object()},
            {"duration_ns", nullptr}}},
          {"causality_vector", json::array()},
          {"lock_set", json::array()}};
}

json documented_event(const std::string& id, const std::string& trace_id) {
  return {{"event_id", id}, {"trace_id", trace_id}, {"kind", "StateChange"}, {"timestamp", "2024-01-01T12:00:00Z"}};
}

std::string wrapped(const std::vector<json>& events) {
  return json{{"events", events}}.dump();
}

std::vector<std::string> ids_of(const Batch& batch) {
  std::vector<std::string> ids;
  for (const auto& event : batch.events) ids.emplace_back(event.event_id);
  return ids;
}

std::string reason_of_text(std::string_view body) {
  const Batch batch = read_batch(body);
  if (batch.count != 1) throw std::logic_error("the body has not one event");
  return batch.rejected.empty() ? "" : batch.rejected.told().front().reason;
}

std::string reason_of(const json& event) {
  return reason_of_text(wrapped({event}));
}

std::optional<std::string> body_error(std::string_view body) {
  try {
    read_batch(body);
    return std::nullopt;
  } catch (const BodyError& error) {
    return error.what();
  }
}

namespace {

std::map<std::string, std::string> texts_read_back(std::string_view body) {
  server::memory::MemoryStorage storage;
  const auto result = storage.ingest({body}).front();
  if (!result.rejected.empty()) throw std::logic_error("rejected: " + result.rejected.told().front().reason);
  std::map<std::string, std::string> texts;
  read_each_trace(
      storage, {}, [](std::uint64_t) {},
      [&](const auto&, const std::vector<server::storage::StoredEvent>& events) {
        for (const auto& event : events) append_sdk_event(texts[event.event_id], event.row());
        return true;
      });
  return texts;
}

}  // namespace

std::map<std::string, json> read_back(std::string_view body) {
  std::map<std::string, json> events;
  for (const auto& [id, text] : texts_read_back(body)) events[id] = json::parse(text);
  return events;
}

json read_back(const json& event) {
  return read_back(std::string_view(event.dump())).begin()->second;
}

std::string text_read_back(std::string_view event) {
  return texts_read_back(event).begin()->second;
}

std::map<std::string, std::string> recorded_bodies() {
  std::map<std::string, std::string> bodies;
  const auto folder = std::filesystem::path(__FILE__).parent_path().parent_path() / "data" / "sdk";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    bodies[std::filesystem::relative(entry.path(), folder).string()] = {std::istreambuf_iterator<char>(file), {}};
  }
  return bodies;
}

std::string Dice::text(int longest) {
  std::string text;
  for (int length = between(0, longest); length > 0; --length) {
    text += one_of({"a",    "Z",    "0", "_",      " ",          "\"",     "\\", "/", "\n", "\t",
                    "\x01", "\x7f", "é", "\u6F22", "\U0001F600", "\u2028", "{",  "]", ":",  ","});
  }
  return text;
}

json Dice::number() {
  switch (between(0, 6)) {
    case 0:
      return between(-9, 9);
    case 1:
      return *rc::gen::arbitrary<std::int64_t>();
    case 2:
      return std::numeric_limits<std::uint64_t>::max() - static_cast<std::uint64_t>(between(0, 3));
    case 3:
      return one_of({0.1, -0.0, 1e-7, 5e-324, 1.7976931348623157e308, -1e20, 5.0});
    default:
      return std::ldexp(static_cast<double>(between(-1'000'000, 1'000'000)), between(-80, 80));
  }
}

json Dice::value(int depth) {
  switch (between(0, depth > 0 ? 6 : 4)) {
    case 0:
      return nullptr;
    case 1:
      return chance(50);
    case 2:
      return number();
    case 3:
    case 4:
      return text();
    case 5: {
      json array = json::array();
      for (int length = between(0, 3); length > 0; --length) array.push_back(value(depth - 1));
      return array;
    }
    default: {
      json object = json::object();
      for (int length = between(0, 3); length > 0; --length) object[text(4)] = value(depth - 1);
      return object;
    }
  }
}

std::string Dice::uuid() {
  std::string uuid = "00000000-0000-4000-8000-000000000000";
  for (auto& c : uuid) {
    if (c == '0') c = "0123456789abcdef"[between(0, 15)];
  }
  return uuid;
}

}  // namespace raceway::wire::test
