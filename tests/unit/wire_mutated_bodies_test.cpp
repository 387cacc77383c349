// The fuzzer's check (tests/fuzz) on recorded traffic and on small changes to it, always the same ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "wire_body_check.hpp"
#include "wire_support.hpp"

namespace raceway::wire::test {
namespace {

/// Bodies of one to three events, of every kind and every application.
std::vector<std::string> small_bodies() {
  std::vector<std::string> bodies = {wrapped({sdk_event("a"), documented_event("b")}), documented_event("c").dump()};
  for (const auto& [name, body] : recorded_bodies()) {
    const auto events = nlohmann::json::parse(body).at("events");
    for (std::size_t at = 0; at < events.size(); at += 17) {
      bodies.push_back(wrapped({events[at], events[(at + 1) % events.size()]}));
    }
  }
  return bodies;
}

class Mutator {
 public:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

  void change(std::string& body, const std::string& other) {
    const std::size_t at = below(body.size() + 1);
    const std::size_t length = std::min(body.size() - at, below(12));
    switch (below(5)) {
      case 0:
        body.erase(at, length);
        break;
      case 1:
        body.insert(at, pieces_[below(pieces_.size())]);
        break;
      case 2:
        body.replace(at, length, pieces_[below(pieces_.size())]);
        break;
      case 3:
        body.insert(at, body.substr(below(body.size() + 1), below(80)));
        break;
      default:
        body.replace(at, length, other.substr(below(other.size() + 1), below(80)));
    }
  }

 private:
  std::mt19937 random_{20240101};
  const std::vector<std::string> pieces_ = {"\"",
                                            "\\",
                                            "{",
                                            "}",
                                            "[",
                                            "]",
                                            ",",
                                            ":",
                                            "null",
                                            "true",
                                            "0",
                                            "-1",
                                            "1e3",
                                            "1e-400",
                                            "1e400",
                                            "0.50",
                                            "\\u0000",
                                            "\\ud800",
                                            "\\u00e9",
                                            "\xC3\xA9",
                                            "\xFF",
                                            "\x01",
                                            " ",
                                            "\"id\":",
                                            R"("event_id":"x",)",
                                            "\"tags\":1,",
                                            "\"kind_fields\":{},",
                                            R"("causality_vector":[["a",1],["a",0]],)",
                                            R"("location":"",)",
                                            "\"events\":[",
                                            "Z",
                                            "+25:00",
                                            "18446744073709551616"};
};

TEST(RecordedTraffic, PassesTheFuzzersCheck) {
  for (const auto& [name, body] : recorded_bodies()) ASSERT_NO_THROW(check_body(body)) << name;
}

TEST(MutatedTraffic, PassesTheFuzzersCheck) {
  const auto bodies = small_bodies();
  Mutator mutator;
  for (int i = 0; i < 3'000; ++i) {
    auto body = bodies[mutator.below(bodies.size())];
    for (std::size_t changes = mutator.below(4) + 1; changes > 0; --changes) {
      mutator.change(body, bodies[mutator.below(bodies.size())]);
    }
    ASSERT_NO_THROW(check_body(body)) << body;
  }
}

}  // namespace
}  // namespace raceway::wire::test
