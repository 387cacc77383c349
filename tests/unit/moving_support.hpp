// What the tests of moving events share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moving/event_sink.hpp"

namespace raceway::server::moving::test {

/// Remembers what a reader found.
class Found : public EventSink {
 public:
  void event(std::string_view text, const Place& place) override {
    events.emplace_back(text);
    places.push_back(place);
  }
  void damage(const Place& place, const std::string& what) override {
    damages.push_back(what);
    damage_places.push_back(place);
  }

  void note(const Place& /*place*/, const std::string& what) override { notes.push_back(what); }

  std::vector<std::string> events;
  std::vector<Place> places;
  std::vector<std::string> damages;
  std::vector<Place> damage_places;
  std::vector<std::string> notes;
};

/// Feeds a text in pieces of `size` bytes.
inline void feed_in_pieces(EventReader& reader, std::string_view text, std::size_t size) {
  for (std::size_t at = 0; at < text.size(); at += size) reader.feed(text.substr(at, size));
  reader.finish();
}

}  // namespace raceway::server::moving::test
