#include "traffic.hpp"

#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

namespace raceway::bench {
namespace {

constexpr std::size_t uuid_length = 36;
constexpr std::size_t span_length = 16;
constexpr std::size_t thread_suffix_length = 8;
constexpr std::size_t seconds_length = 19;  // 2026-11-22T07:25:26

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_uuid(std::string_view text) {
  if (text.size() != uuid_length) return false;
  for (std::size_t at = 0; at < uuid_length; ++at) {
    const bool hyphen = at == 8 || at == 13 || at == 18 || at == 23;
    if (hyphen ? text[at] != '-' : !is_hex(text[at])) return false;
  }
  return true;
}

bool all_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_hex);
}

void write_hex(char* place, std::size_t length, std::uint64_t bits) {
  for (std::size_t at = 0; at < length; ++at) place[at] = "0123456789abcdef"[(bits >> (60U - 4U * at)) & 0xFU];
}

/// A random UUID (version 4, variant 1) made of 128 bits.
void write_uuid(char* place, std::uint64_t high, std::uint64_t low) {
  high = (high & ~0xF000ULL) | 0x4000ULL;
  low = (low & ~(3ULL << 62U)) | (2ULL << 62U);
  write_hex(place, 8, high);
  write_hex(place + 9, 4, high << 32U);
  write_hex(place + 14, 4, high << 48U);
  write_hex(place + 19, 4, low);
  write_hex(place + 24, 12, low << 16U);
}

void write_number(char* place, std::size_t digits, unsigned value) {
  for (std::size_t at = digits; at-- > 0; value /= 10) place[at] = static_cast<char>('0' + value % 10);
}

void write_seconds(char* place, std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  write_number(place, 4, static_cast<unsigned>(static_cast<int>(date.year())));
  write_number(place + 5, 2, static_cast<unsigned>(date.month()));
  write_number(place + 8, 2, static_cast<unsigned>(date.day()));
  write_number(place + 11, 2, static_cast<unsigned>(clock.hours().count()));
  write_number(place + 14, 2, static_cast<unsigned>(clock.minutes().count()));
  write_number(place + 17, 2, static_cast<unsigned>(clock.seconds().count()));
}

std::int64_t read_seconds(const std::string& text) {
  const auto number = [&](std::size_t at, std::size_t digits) { return std::stoi(text.substr(at, digits)); };
  const std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2))));
  return std::chrono::sys_seconds(std::chrono::sys_days(date)).time_since_epoch().count() + number(11, 2) * 3600 +
         number(14, 2) * 60 + number(17, 2);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return text;
}

/// Where the string value of the first member `name` begins and ends, without its quotes; npos where it has none.
std::pair<std::size_t, std::size_t> find_value(const std::string& text, std::string_view name) {
  const auto key = text.find('"' + std::string(name) + "\":");
  if (key == std::string::npos) return {key, key};
  const auto begin = text.find('"', key + name.size() + 3) + 1;
  return {begin, text.find('"', begin)};
}

}  // namespace

// SplitMix64's finalizer.
std::uint64_t spread(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

Traffic::Traffic(const std::filesystem::path& directory, std::int64_t seconds_per_copy)
    : seconds_per_copy_(seconds_per_copy) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) add_body(read_file(file));
  if (events_.empty()) throw std::runtime_error("no recorded bodies in " + directory.string());
}

void Traffic::add_body(const std::string& body) {
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(body);
  auto document = parser.iterate(padded);
  for (auto element : document["events"].get_array()) {
    simdjson::ondemand::object object = element.get_object();
    add_event(std::string(std::string_view(object.raw_json())));
  }
}

void Traffic::add_event(std::string text) {
  Event event{std::move(text), {}};
  find_ids(event);
  find_thread(event);
  find_time(event);
  events_.push_back(std::move(event));
}

Traffic Traffic::documented(std::int64_t seconds_per_copy) {
  constexpr unsigned traces = 100;
  constexpr unsigned events_of_trace = 50;
  Traffic traffic(seconds_per_copy);
  std::mt19937_64 random(1);
  const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  const auto uuid = [](std::uint64_t number) {
    std::string text(uuid_length, '-');
    write_uuid(text.data(), spread(number), spread(~number));
    return text;
  };
  for (unsigned number = 0; number < traces * events_of_trace; ++number) {
    const unsigned worker = below(8);
    const unsigned line = below(900);
    const auto text = [](unsigned value) { return std::to_string(value); };
    std::string seconds("2026-11-22T10:00:00");
    write_number(seconds.data() + 17, 2, number * 60 / (traces * events_of_trace));
    traffic.add_event(R"({"event_id":")" + uuid(number + traces) + R"(","trace_id":")" + uuid(below(traces)) +
                      R"(","kind":"StateChange","timestamp":")" + seconds + "." + text(100'000 + below(900'000)) +
                      R"(Z","duration_ms":)" + text(below(90)) + "." + text(below(999)) +
                      R"(,"location":"src/account.rs:)" + text(line) + R"(","vector_clock":{"gateway-1":)" +
                      text(1 + number) + R"(,"worker-)" + text(worker) + R"(":)" + text(1 + below(40'000)) +
                      R"(},"metadata":{"service_name":"bank-)" + text(worker) + R"(","thread_id":"worker-)" +
                      text(worker) + R"(","variable":"account[)" + text(below(500)) + R"(].balance","old_value":)" +
                      text(below(100'000)) + R"(,"new_value":)" + text(below(100'000)) +
                      R"(,"access_type":"Write","is_retry":false,"region":"eu-central-1"}})");
  }
  return traffic;
}

void Traffic::add_id(Event& event, std::size_t offset, std::size_t length, What what) {
  const auto number = static_cast<std::int64_t>(ids_.size());
  const auto [id, is_new] = ids_.try_emplace(event.text.substr(offset, length), number);
  event.places.push_back({offset, length, what, id->second});
}

void Traffic::find_ids(Event& event) {
  const std::string_view text = event.text;
  for (std::size_t at = 1; at + span_length < text.size(); ++at) {
    if (!is_hex(text[at]) || is_hex(text[at - 1])) continue;
    if (is_uuid(text.substr(at, uuid_length))) {
      add_id(event, at, uuid_length, What::uuid);
      at += uuid_length;
    } else if (text[at - 1] == '"' && text[at + span_length] == '"' && all_hex(text.substr(at, span_length))) {
      add_id(event, at, span_length, What::hex);
      at += span_length;
    }
  }
}

// node-8837-81405ad6: fresh in every request that an SDK traces, like the ids.
void Traffic::find_thread(Event& event) {
  const auto [begin, end] = find_value(event.text, "thread_id");
  if (begin == std::string::npos || end - begin <= thread_suffix_length) return;
  const auto suffix = end - thread_suffix_length;
  if (event.text[suffix - 1] != '-' || is_uuid(event.text.substr(begin, end - begin))) return;
  if (all_hex(event.text.substr(suffix, thread_suffix_length))) add_id(event, suffix, thread_suffix_length, What::hex);
}

void Traffic::find_time(Event& event) {
  const auto [begin, end] = find_value(event.text, "timestamp");
  if (begin == std::string::npos || end - begin < seconds_length) throw std::runtime_error("an event without a time");
  event.places.push_back({begin, seconds_length, What::time, read_seconds(event.text.substr(begin, seconds_length))});
}

void Traffic::append_event(std::string& out, std::uint64_t copy, std::size_t index) const {
  const Event& event = events_[index];
  const std::size_t start = out.size();
  out += event.text;
  for (const auto& place : event.places) {
    char* const at = out.data() + start + place.offset;
    const std::uint64_t name = (copy << 20U) | static_cast<std::uint64_t>(place.value);
    switch (place.what) {
      case What::uuid:
        write_uuid(at, spread(name), spread(~name));
        break;
      case What::hex:
        write_hex(at, place.length, spread(name));
        break;
      case What::time:
        write_seconds(at, place.value + static_cast<std::int64_t>(copy) * seconds_per_copy_);
        break;
    }
  }
}

std::vector<Body> cut(const Traffic& traffic, const Stream& stream) {
  std::vector<Body> bodies;
  std::vector<EventOf> earlier;
  std::mt19937_64 random(stream.first_copy);
  EventOf next{stream.first_copy, 0};
  for (std::size_t left = stream.events; left > 0;) {
    Body body;
    const std::size_t size = std::min(left, stream.events_in_body);
    const auto wanted = static_cast<std::size_t>(std::lround(static_cast<double>(size) * stream.duplicate_share));
    const std::size_t duplicates = earlier.empty() ? 0 : wanted;
    while (body.size() < size - duplicates) {
      body.push_back(next);
      if (++next.index == traffic.events_in_copy()) next = {next.copy + stream.copy_step, 0};
    }
    const std::size_t fresh = body.size();
    while (body.size() < size) body.push_back(earlier[random() % earlier.size()]);
    if (stream.duplicate_share > 0) {
      earlier.insert(earlier.end(), body.begin(), body.begin() + static_cast<std::ptrdiff_t>(fresh));
    }
    left -= size;
    bodies.push_back(std::move(body));
  }
  return bodies;
}

std::string json_of(const Traffic& traffic, const Body& body) {
  std::string json = R"({"events":[)";
  for (std::size_t at = 0; at < body.size(); ++at) {
    if (at > 0) json += ',';
    traffic.append_event(json, body[at].copy, body[at].index);
  }
  return json + "]}";
}

}  // namespace raceway::bench
