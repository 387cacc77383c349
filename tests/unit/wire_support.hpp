// What the tests of the wire formats share: events, recorded traffic, and random JSON.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/batch.hpp"

namespace raceway::wire::test {

/// A small event that can be kept.
nlohmann::json sdk_event(const std::string& id, const std::string& trace_id = "trace");
nlohmann::json documented_event(const std::string& id, const std::string& trace_id = "trace");

/// `{"events":[...]}`.
std::string wrapped(const std::vector<nlohmann::json>& events);

/// The ids of the events that were read, in order.
std::vector<std::string> ids_of(const Batch& batch);

/// Why the only event of a body was rejected; empty where it was not.
std::string reason_of(const nlohmann::json& event);
std::string reason_of_text(std::string_view body);

/// What read_batch() has against a body as a whole; nothing where it takes it.
std::optional<std::string> body_error(std::string_view body);

/// Sends a body to a store, and gives back what it then holds in the SDK's form, by event id. Throws std::logic_error
/// where an event was rejected.
std::map<std::string, nlohmann::json> read_back(std::string_view body);
/// The same for one event, as text too.
nlohmann::json read_back(const nlohmann::json& event);
std::string text_read_back(std::string_view event);

/// The bodies that real SDKs sent, by the names of their files, in the order they were sent.
std::map<std::string, std::string> recorded_bodies();

/// Draws random things inside a property of RapidCheck.
class Dice {
 public:
  int between(int low, int high) { return *rc::gen::inRange(low, high + 1); }
  bool chance(int percent) { return between(0, 99) >= 100 - percent; }
  std::int64_t between64(std::int64_t low, std::int64_t high) { return *rc::gen::inRange(low, high); }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + between(0, static_cast<int>(choices.size()) - 1));
  }
  /// Up to `longest` characters of any kind, but no NUL.
  std::string text(int longest = 10);
  /// A finite number of any size.
  nlohmann::json number();
  /// Any value, of containers within containers up to `depth`.
  nlohmann::json value(int depth);
  std::string uuid();
};

}  // namespace raceway::wire::test
