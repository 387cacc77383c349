#include "wire_body_check.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "memory/memory_storage.hpp"
#include "trace_support.hpp"
#include "wire/batch.hpp"
#include "wire/writer.hpp"

namespace raceway::wire::test {
namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw std::logic_error(what);
}

/// All that a batch says, as text.
std::string describe(const Batch& batch) {
  std::string text = std::to_string(batch.count) + ", of them " + std::to_string(batch.rejected.count()) + " bad\n";
  for (const auto& event : batch.events) {
    text += std::to_string(event.index) + ' ' + std::to_string(event.timestamp) + ' ';
    text += event.duration_ms ? std::to_string(*event.duration_ms) : "-";
    for (const auto part :
         {event.event_id, event.trace_id, event.kind, event.location.value_or("-"), event.service_name.value_or("-")}) {
      append_json_string(text += ' ', part);
    }
    text += event.has_clock ? " clock" : " no clock";
    for (const auto& [name, counter] : event.clock) {
      append_json_string(text += ' ', name);
      text += '=' + std::to_string(counter);
    }
    append_json(text += ' ', event.metadata);
    text += '\n';
  }
  for (const auto& [index, id, reason] : batch.rejected.told()) {
    text += std::to_string(index);
    for (const auto& part : {id, reason}) append_json_string(text += ' ', part);
    text += '\n';
  }
  return text;
}

/// A thread that has read nothing before knows no layouts: it takes the general way.
std::string outcome_in_new_thread(std::string_view body) {
  std::string outcome;
  std::thread([&] { outcome = outcome_of(body); }).join();
  return outcome;
}

/// Which of the indexes below `count` have a fate; throws where one has several. A span is several events, and its
/// rejection may follow some of them.
std::vector<int> fates_of(const Batch& batch) {
  std::vector<int> fates(batch.count);
  for (const auto& event : batch.events) {
    int& fate = fates.at(event.index);
    fate = batch.of_spans ? 1 : fate + 1;
  }
  for (const auto& rejection : batch.rejected.told()) {
    ++fates.at(rejection.index);
    require(!rejection.reason.empty(), "a rejection without a reason");
    static_cast<void>(nlohmann::json(rejection.reason + rejection.id).dump());  // throws where it is no UTF-8
  }
  return fates;
}

void check_fates(const Batch& batch) {
  const bool counted = batch.of_spans || batch.events.size() + batch.rejected.count() == batch.count;
  require(counted, "events that are neither read nor rejected");
  if (batch.rejected.untold() > 0) return;
  for (const int count : fates_of(batch)) require(count == 1, "an index without exactly one fate");
}

/// Asks another reader, which takes no number beyond a double: of a long run of digits it is shown the first ones.
bool is_json(std::string_view text) {
  constexpr int shown = 20;
  std::string shorter;
  int run = 0;
  for (const char c : text) {
    run = c >= '0' && c <= '9' ? run + 1 : 0;
    if (run <= shown) shorter += c;
  }
  return nlohmann::json::accept(shorter);
}

/// The events that a store has after `body`, in the SDK's form.
std::vector<std::string> events_after(std::string_view body) {
  server::memory::MemoryStorage storage;
  std::vector<std::string> events;
  storage.ingest({body});
  read_each_trace(
      storage, {}, [](std::uint64_t) {},
      [&](const auto&, const std::vector<server::storage::StoredEvent>& stored) {
        for (const auto& event : stored) append_sdk_event(events.emplace_back(), event.row());
        return true;
      });
  return events;
}

}  // namespace

std::string outcome_of(std::string_view body, const Reading& reading) {
  try {
    return describe(read_batch(body, reading));
  } catch (const BodyError& error) {
    return error.what();
  }
}

void check_body(std::string_view body) {
  const auto outcome = outcome_in_new_thread(body);
  // The second time its layouts are known.
  require(outcome_of(body) == outcome, "read in two ways, two outcomes");
  require(outcome_of(body) == outcome, "read once more, another outcome");
  for (const std::size_t window : {body.size() / 2, std::size_t{0}}) {
    require(outcome_of(body, {.window = window}) == outcome, "measured first, another outcome");
  }
  try {
    check_fates(read_batch(body));
  } catch (const BodyError&) {
    return;
  }
  for (const auto& event : events_after(body)) {
    require(is_json(event), "what is read back is no JSON: " + event);
    // What came in the documented form may be normalized once, or be no event in the SDK's form; then it is settled.
    for (const auto& settled : events_after(event)) {
      require(events_after(settled) == std::vector{settled},
              "sent as it was read back it comes back otherwise: " + settled);
    }
  }
}

}  // namespace raceway::wire::test
