// The memory store in a file and back: the same events; and of a file that is damaged, all that can be read, and no
// more.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "memory/frames.hpp"
#include "memory/memory_storage.hpp"
#include "trace_support.hpp"
#include "wire_support.hpp"

namespace raceway::server::memory {
namespace {

using nlohmann::json;
using wire::test::Dice;
using wire::test::documented_event;
using wire::test::wrapped;
using Text = std::string;

/// Everything that a storage shows: its traces with their events, in order, and its services.
struct Shown {
  std::map<Text, std::vector<std::array<Text, 7>>> events;
  std::map<Text, std::tuple<std::uint64_t, wire::Micros, wire::Micros, std::vector<Text>>> traces;
  std::vector<Text> newest_first;
  std::vector<std::tuple<Text, std::uint64_t, std::uint64_t>> services;

  bool operator==(const Shown&) const = default;
};

Shown shown(storage::Storage& storage) {
  Shown all;
  wire::test::read_each_trace(
      storage, {}, [](std::uint64_t) {},
      [&](const storage::TraceSummary& trace, const std::vector<storage::StoredEvent>& events) {
        all.newest_first.push_back(trace.trace_id);
        all.traces[trace.trace_id] = {trace.event_count, trace.first_timestamp, trace.last_timestamp, trace.services};
        for (const auto& event : events) {
          all.events[trace.trace_id].push_back({event.event_id, event.kind, std::to_string(event.timestamp),
                                                std::to_string(event.duration_ms.value_or(-1)),
                                                event.location.value_or("none"), event.vector_clock, event.metadata});
        }
        return true;
      });
  for (const auto& service : storage.services()) {
    all.services.emplace_back(service.name, service.event_count, service.trace_count);
  }
  return all;
}

/// A directory of its own for each test.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "raceway-snapshot-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::filesystem::path file() const { return path_ / "snapshot"; }
  /// The names of what is in it, sorted.
  std::vector<Text> names() const {
    std::vector<Text> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }
  Text read() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const Text& content) const { std::ofstream(file(), std::ios::binary) << content; }

 private:
  std::filesystem::path path_;
};

void send_recorded(storage::Storage& storage) {
  for (const auto& [name, body] : wire::test::recorded_bodies()) storage.ingest({body});
}

/// Ids that are no UUIDs, a trace of many chunks, several services.
void send_others(storage::Storage& storage, int bodies = 100) {
  for (int body = 0; body < bodies; ++body) {
    std::vector<json> events;
    for (int at = 0; at < 50; ++at) {
      const auto number = std::to_string(body) + "/" + std::to_string(at);
      auto event = documented_event("event " + number, at % 5 == 0 ? "large" : "trace " + std::to_string(body));
      event["location"] = std::string(200, 'l') + number;
      event["metadata"] = {{"service_name", "service " + std::to_string(at % 4)}, {"value", at}};
      event["vector_clock"] = {{"a", at}, {"b " + std::to_string(at % 3), body}};
      events.push_back(event);
    }
    storage.ingest({wrapped(events)});
  }
}

TEST(MemorySnapshot, BringsBackEverythingAsItWas) {
  const Directory directory;
  MemoryStorage saved;
  send_recorded(saved);
  send_others(saved);
  saved.save(directory.file());
  EXPECT_EQ(directory.names(), (std::vector<Text>{"snapshot"}));
  MemoryStorage loaded;
  std::vector<Text> complaints;
  loaded.load(directory.file(), complaints);
  EXPECT_EQ(complaints, std::vector<Text>());
  EXPECT_EQ(shown(loaded), shown(saved));
  EXPECT_EQ(loaded.totals().events, saved.totals().events);
  EXPECT_EQ(loaded.fullness()->bytes, loaded.usage().total());
}

TEST(MemorySnapshot, KnowsWhatIsSentAgainAndGoesOnAsBefore) {
  const Directory directory;
  MemoryStorage saved;
  send_recorded(saved);
  send_others(saved);
  saved.save(directory.file());
  MemoryStorage loaded;
  std::vector<Text> complaints;
  loaded.load(directory.file(), complaints);
  const auto before = shown(loaded);
  send_recorded(loaded);
  send_others(loaded);
  EXPECT_EQ(shown(loaded), before);
  const auto more = wrapped({documented_event("event 0/0", "another"), documented_event("new", "large")});
  const auto result = loaded.ingest({more}).at(0);
  EXPECT_EQ(result.stored, 1U);
  EXPECT_EQ(result.rejected.told().front().reason, "event_id is already stored under trace large");
  saved.ingest({more});
  EXPECT_EQ(shown(loaded), shown(saved));
  loaded.save(directory.file());
  MemoryStorage again;
  again.load(directory.file(), complaints);
  EXPECT_EQ(shown(again), shown(saved));
  EXPECT_EQ(complaints, std::vector<Text>());
}

TEST(MemorySnapshot, BeginsEmptyWhereThereIsNoFile) {
  const Directory directory;
  MemoryStorage storage;
  std::vector<Text> complaints;
  storage.load(directory.file(), complaints);
  EXPECT_TRUE(complaints.empty());
  EXPECT_EQ(storage.totals().events, 0U);
  storage.save(directory.file());
  MemoryStorage loaded;
  loaded.load(directory.file(), complaints);
  EXPECT_TRUE(complaints.empty()) << "an empty storage has a file, too";
}

TEST(MemorySnapshot, LeavesTheOldFileWhereANewOneCannotBeWritten) {
  const Directory directory;
  MemoryStorage storage;
  send_others(storage);
  EXPECT_THROW(storage.save(directory.file() / "no" / "such"), std::runtime_error);
  storage.save(directory.file());
  const auto before = directory.read();
  std::filesystem::create_directory(directory.file().string() + ".new");
  EXPECT_THROW(storage.save(directory.file()), std::runtime_error);
  EXPECT_EQ(directory.read(), before);
}

TEST(MemorySnapshot, LoadsWhatIsWithinTheLimitsTheNewestOfIt) {
  const Directory directory;
  MemoryStorage saved;
  send_others(saved);
  saved.save(directory.file());
  MemoryStorage loaded({.max_traces = 3, .max_age = {}, .max_bytes = 0});
  std::vector<Text> complaints;
  loaded.load(directory.file(), complaints);
  EXPECT_TRUE(complaints.empty());
  EXPECT_EQ(loaded.totals().traces, 3U);
  EXPECT_TRUE(wire::test::read_trace(loaded, "large"));
  EXPECT_TRUE(wire::test::read_trace(loaded, "trace 99"));
  EXPECT_EQ(loaded.fullness()->bytes, loaded.usage().total());
}

TEST(MemorySnapshot, RefusesAFileOfANewerForm) {
  const Directory directory;
  directory.write("RWS7 and whatever will follow it then");
  MemoryStorage storage;
  std::vector<Text> complaints;
  EXPECT_THROW(storage.load(directory.file(), complaints), std::runtime_error);
  EXPECT_EQ(directory.names(), (std::vector<Text>{"snapshot"})) << "it is left alone";
}

TEST(MemorySnapshot, KeepsEachDamagedFileUnderANameOfItsOwn) {
  const Directory directory;
  for (int at = 0; at < 3; ++at) {
    directory.write("no snapshot, number " + std::to_string(at));
    MemoryStorage storage;
    std::vector<Text> complaints;
    storage.load(directory.file(), complaints);
    EXPECT_EQ(complaints.size(), 2U);
    EXPECT_EQ(storage.totals().events, 0U);
  }
  EXPECT_EQ(directory.names().size(), 3U);
  MemoryStorage storage;
  std::vector<Text> complaints;
  directory.write("");
  storage.load(directory.file(), complaints);
  EXPECT_EQ(complaints.size(), 2U) << "an empty file is a damaged one";
}

RC_GTEST_PROP(MemorySnapshot, LoadsOfADamagedFileOnlyWhatWasSavedAndSaysWhereItIsDamaged, ()) {
  static MemoryStorage* const saved = [] {
    auto* const storage = new MemoryStorage;
    send_others(*storage, 20);
    return storage;
  }();
  static const Shown all = shown(*saved);
  Dice dice;
  const Directory directory;
  saved->save(directory.file());
  auto content = directory.read();
  const auto somewhere = [&] {
    return static_cast<std::size_t>(dice.between64(0, static_cast<std::int64_t>(content.size())));
  };
  if (dice.chance(30)) content.resize(somewhere());
  for (int damages = dice.between(0, 3); damages > 0 && !content.empty(); --damages) {
    const auto from = somewhere();
    const auto count = static_cast<std::size_t>(dice.one_of({1, 8, 4'000}));
    for (auto at = from; at < std::min(content.size(), from + count); ++at)
      content[at] = static_cast<char>(~content[at]);
  }
  if (content == directory.read()) return;
  directory.write(content);
  MemoryStorage loaded;
  std::vector<Text> complaints;
  loaded.load(directory.file(), complaints);
  RC_ASSERT(complaints.size() >= 2U);
  RC_ASSERT(complaints.front().find(" byte") != Text::npos);
  RC_ASSERT(!std::filesystem::exists(directory.file()));
  RC_ASSERT(directory.names().size() == 1U);
  const auto rest = shown(loaded);
  for (const auto& [trace, events] : rest.events) RC_ASSERT(all.events.at(trace) == events);
  for (const auto& [trace, summary] : rest.traces) RC_ASSERT(all.traces.at(trace) == summary);
  loaded.save(directory.file());
  MemoryStorage again;
  complaints.clear();
  again.load(directory.file(), complaints);
  RC_ASSERT(complaints.empty());
  RC_ASSERT(shown(again) == rest);
}

TEST(MemorySnapshot, LosesFewTracesToOneDamage) {
  const Directory directory;
  MemoryStorage saved;
  send_recorded(saved);
  saved.save(directory.file());
  const auto content = directory.read();
  for (std::size_t at = 0; at < content.size(); at += content.size() / 50) {
    auto damaged = content;
    damaged[at] = static_cast<char>(~damaged[at]);
    directory.write(damaged);
    MemoryStorage loaded;
    std::vector<Text> complaints;
    loaded.load(directory.file(), complaints);
    EXPECT_GE(loaded.totals().traces + 1, saved.totals().traces) << at;
  }
}

TEST(MemorySnapshot, IsWholeThoughEventsComeAndTracesGoMeanwhile) {
  const Directory directory;
  MemoryStorage storage({.max_traces = 60, .max_age = {}, .max_bytes = 0});
  std::atomic<bool> sending{true};
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 2; ++sender) {
    senders.emplace_back([&, sender] {
      for (int body = 0; sending; ++body) {
        std::vector<json> events;
        for (int at = 0; at < 40; ++at) {
          // Some ids come again and again, under other traces: where they stand is decided by what was evicted.
          const auto id = at % 4 == 0 ? "again " + std::to_string(at + body % 50)
                                      : std::to_string(sender) + "/" + std::to_string(body) + "/" + std::to_string(at);
          auto event =
              documented_event(id, "trace " + std::to_string(sender) + "/" + std::to_string(body / 3 + at % 3));
          event["location"] = "place " + std::to_string(body / 5) + "/" + std::to_string(at);
          events.push_back(event);
        }
        storage.ingest({wrapped(events)});
      }
    });
  }
  for (int round = 0; round < 15; ++round) {
    storage.save(directory.file());
    MemoryStorage loaded;
    std::vector<Text> complaints;
    loaded.load(directory.file(), complaints);
    EXPECT_EQ(complaints, std::vector<Text>());
    std::uint64_t events = 0;
    wire::test::read_each_trace(
        loaded, {}, [](std::uint64_t) {},
        [&](const storage::TraceSummary& trace, const std::vector<storage::StoredEvent>& read) {
          EXPECT_EQ(read.size(), trace.event_count);
          events += read.size();
          return true;
        });
    EXPECT_EQ(events, loaded.totals().events);
    EXPECT_EQ(loaded.fullness()->bytes, loaded.usage().total());
  }
  sending = false;
  for (auto& sender : senders) sender.join();
}

/// The frames of a snapshot, changed by `change`, with checksums that are right all the same.
void rewrite(const Directory& directory, const std::function<void(std::vector<std::pair<FrameType, Text>>&)>& change) {
  const Text file = directory.read();
  std::vector<std::pair<FrameType, Text>> frames;
  FrameReader reader(file);
  while (const auto frame = reader.next()) frames.emplace_back(frame->type, Text(frame->payload));
  change(frames);
  FrameFile written(directory.file());
  for (const auto& [type, payload] : frames) written.put(type, payload);
  written.finish();
}

TEST(HostileSnapshot, IsReadAsFarAsItMakesSenseAndTellsWhereNot) {
  const Directory saved;
  {
    MemoryStorage storage;
    send_recorded(storage);
    send_others(storage, 6);
    storage.save(saved.file());
  }
  const Text file = saved.read();
  unsigned damaged = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 engine(seed);
    const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(engine() % limit); };
    const Directory directory;
    directory.write(file);
    rewrite(directory, [&](auto& frames) {
      for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
        Text& payload = frames[below(frames.size())].second;
        if (payload.empty()) continue;
        const std::size_t at = below(payload.size());
        switch (below(4)) {
          case 0:
            payload[at] = static_cast<char>(below(256));
            break;
          case 1:
            payload.erase(at, 1 + below(8));
            break;
          case 2:
            payload.insert(at, 1 + below(12), static_cast<char>(below(2) == 0 ? 0xFF : 0));
            break;
          default:
            payload.resize(at);
        }
      }
    });
    MemoryStorage storage({.max_traces = 40});
    std::vector<Text> complaints;
    ASSERT_NO_THROW(storage.load(directory.file(), complaints)) << "seed " << seed;
    if (!complaints.empty()) ++damaged;
    for (const auto& complaint : complaints) EXPECT_NE(complaint.find("snapshot"), Text::npos);
    const auto before = shown(storage);
    EXPECT_TRUE(nlohmann::json::accept(nlohmann::json(before.newest_first).dump(-1, ' ', false))) << "seed " << seed;
    send_others(storage, 2);
    send_recorded(storage);  // and all of it goes, or is counted
    std::uint64_t events = 0;
    for (const auto& [id, rows] : shown(storage).events) events += rows.size();
    EXPECT_EQ(storage.totals().events, events) << "seed " << seed;
  }
  EXPECT_GT(damaged, 30U);
}

}  // namespace
}  // namespace raceway::server::memory
