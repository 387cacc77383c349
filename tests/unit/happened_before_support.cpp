#include "happened_before_support.hpp"

#include <rapidcheck.h>

#include <algorithm>

namespace raceway::causality {

EventTable table_of(const Facts& facts) {
  std::vector<std::string> ids;
  for (const Fact& fact : facts) ids.push_back(fact.id);
  std::ranges::sort(ids);
  const auto key = [&](const std::string& id) -> std::uint64_t {
    const auto at = std::ranges::lower_bound(ids, id);
    if (id.empty()) return 0;
    return at != ids.end() && *at == id ? static_cast<std::uint64_t>(at - ids.begin()) + 1 : ids.size() + 1;
  };
  EventTable table;
  for (const Fact& fact : facts) {
    std::vector<Component> clock;
    for (const auto& [name, counter] : fact.clock) clock.push_back({name, counter});
    std::ranges::sort(clock, [](const auto& a, const auto& b) { return compare_names(a.name, b.name) < 0; });
    EventFacts each;
    each.id = key(fact.id);
    each.parent = key(fact.parent);
    each.timestamp = fact.time;
    each.kind = fact.kind;
    each.access = fact.access;
    each.shared_lock = fact.shared_lock;
    each.subject = fact.subject;
    each.location = fact.location;
    each.origin = {fact.service, fact.instance, "", fact.thread, fact.span, fact.upstream};
    if (fact.duration_nanos >= 0) each.duration_nanos = fact.duration_nanos;
    each.clock = clock;
    std::vector<std::uint64_t> links;
    for (const auto& id : fact.links) links.push_back(key(id));
    each.links = links;
    table.add(each);
  }
  table.finish([&](std::span<const std::uint32_t> places) {
    std::vector<std::string> texts;
    for (const std::uint32_t place : places) texts.push_back(facts[place].id);
    return texts;
  });
  return table;
}

Told::Told(Facts facts) : table(table_of(facts)), happened(table), facts_(std::move(facts)) {}

std::uint32_t Told::rank(const std::string& id) const {
  for (std::uint32_t event = 0; event < table.size(); ++event) {
    if (this->id(event) == id) return event;
  }
  return none;
}

std::string Told::relation(const std::string& a, const std::string& b) const {
  return std::string(name_of(happened.compare(rank(a), rank(b))));
}

std::vector<std::string> Told::order() const {
  std::vector<std::string> ids;
  for (const std::uint32_t event : happened.order()) ids.push_back(id(event));
  return ids;
}

std::vector<std::vector<bool>> relation_of(const HappenedBefore& happened) {
  const std::size_t size = happened.events().size();
  std::vector<std::vector<bool>> before(size, std::vector<bool>(size));
  happened.walk([&](const Step& step) {
    for (std::uint32_t other = 0; other < size; ++other)
      before[other][step.event] = other != step.event && step.follows(happened.spot(other));
    return true;
  });
  return before;
}

namespace {

int any(int low, int high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, high));
}

std::string letter(char first, int number) {
  return std::string(1, static_cast<char>(first + number));
}

void draw_kind(Fact& fact) {
  const int kind = any(0, 10);
  if (kind < 6) {
    fact.kind = Kind::state_change;
    fact.subject = letter('x', any(0, 2));
    fact.access = static_cast<Access>(any(1, 6));
    fact.location = "at " + letter('p', any(0, 3));
  } else if (kind < 8) {
    fact.kind = kind == 6 ? Kind::lock_acquire : Kind::lock_release;
    fact.subject = letter('l', any(0, 2));
    fact.shared_lock = any(0, 3) == 0;
  } else if (kind == 8) {
    fact.kind = any(0, 2) == 0 ? Kind::async_spawn : Kind::async_await;
    fact.subject = letter('t', any(0, 3));
  } else {
    fact.kind = Kind::function_call;
    fact.subject = "f";
  }
}

}  // namespace

Facts any_facts(int most_events) {
  const int size = any(0, most_events);
  const int threads = any(1, 5);
  const int spans = any(1, 4);
  Facts facts;
  for (int i = 0; i < size; ++i) {
    Fact fact;
    fact.id = "e" + std::to_string(i);
    const int parent = any(0, 2 * size + 1);
    if (parent < size) fact.parent = "e" + std::to_string(parent);
    if (parent == size) fact.parent = "unknown";
    for (int links = any(0, 6); links > 4; --links) fact.links.push_back("e" + std::to_string(any(0, size + 1)));
    fact.time = any(0, 20);
    fact.service = letter('A', any(0, 2));
    if (any(0, 3) > 0) fact.instance = "1";
    if (any(0, 4) > 0) fact.thread = letter('t', any(0, threads));
    if (any(0, 2) == 0) fact.span = letter('s', any(0, spans));
    if (any(0, 3) == 0) fact.upstream = letter('s', any(0, spans));
    draw_kind(fact);
    if (any(0, 2) == 0) {
      for (const char* name : {"A#1", "B#1"}) {
        if (any(0, 2) == 0) fact.clock.emplace_back(name, any(1, 5));
      }
    } else if (any(0, 2) == 0) {
      for (const char* name : {"a", "b", "c"}) {
        if (any(0, 2) == 0) fact.clock.emplace_back(name, any(1, 4));
      }
    }
    facts.push_back(fact);
  }
  return facts;
}

Facts any_lasting_facts(int most_events) {
  Facts facts = any_facts(most_events);
  for (Fact& fact : facts) {
    if (any(0, 3) > 0) fact.duration_nanos = any(0, 12) * std::int64_t{500};
  }
  return facts;
}

}  // namespace raceway::causality
