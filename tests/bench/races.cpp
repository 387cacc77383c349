// How long it takes to find the races of one trace, and what it takes of memory.
//   races EVENTS THREADS SHARE_OF_LINKS [pairs]     1000000 64 0.01
// Each event is an access to one variable by one of the threads, a quarter of them writes, at one of twelve places; so
// many of them have the last event of another thread for a parent. One line, times in seconds: what it takes to read
// the events into a table, to order them, to count the races and list the first 100, and to do that by site; then bytes
// that the process took at most before the last of these, and the races.
// With `pairs` also what it takes to look at each pair instead: `clocks` compares the events' vector clocks, as a join
// on <||> does, for every 100th event with all before it, times 100; `lookups` has each thread's counter at hand.
#include "causality/races.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "causality/clock.hpp"

namespace raceway::bench {
namespace {

using namespace causality;

/// The accesses of a trace, one after the other, the same every time.
class Accesses {
 public:
  Accesses(std::uint32_t threads, double links) : links_(links), last_(threads) {
    for (std::uint32_t i = 0; i < threads; ++i) names_.push_back("thread-" + std::to_string(i));
    for (int i = 0; i < 12; ++i) places_.push_back("service.cpp:" + std::to_string(10 * i));
  }

  /// The texts live as long as this.
  EventFacts next() {
    const auto threads = static_cast<std::uint32_t>(names_.size());
    // Each thread has some, as soon as there are as many events as threads.
    const auto thread = id_ < threads ? static_cast<std::uint32_t>(id_) : below(threads);
    EventFacts facts;
    facts.id = ++id_;
    facts.timestamp = static_cast<std::int64_t>(id_);
    facts.kind = Kind::state_change;
    facts.access = below(4) == 0 ? Access::write : Access::read;
    facts.subject = "balance";
    facts.location = places_[below(static_cast<std::uint32_t>(places_.size()))];
    facts.origin.service = "bank";
    facts.origin.process = "1";
    facts.origin.thread = names_[thread];
    if (threads > 1 && std::bernoulli_distribution(links_)(random_))
      facts.parent = last_[(thread + 1 + below(threads - 1)) % threads];
    last_[thread] = id_;
    return facts;
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  double links_;
  std::mt19937 random_;
  std::uint64_t id_ = 0;
  std::vector<std::uint64_t> last_;  // by thread: the id of its last event, or 0
  std::vector<std::string> names_;
  std::vector<std::string> places_;
};

template <class Do>
double seconds_of(Do what) {
  const auto start = std::chrono::steady_clock::now();
  what();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What the process took at most so far.
std::size_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view peak = "VmHWM:";
    if (line.starts_with(peak)) return std::stoul(line.substr(peak.size())) * 1024;
  }
  throw std::runtime_error("the kernel does not tell the peak");
}

bool conflict(const EventTable::Event& a, const EventTable::Event& b) {
  return writes(a.access) || writes(b.access);
}

/// Every event's clock, its own thread included.
std::vector<std::vector<Heard>> clocks_of(const HappenedBefore& happened) {
  std::vector<std::vector<Heard>> clocks(happened.events().size());
  happened.walk([&](const Step& step) {
    auto& clock = clocks[step.event];
    clock.resize(happened.lines());
    for (const Heard& heard : step.heard) clock[heard.line] = heard;
    clock[step.spot.line] = {step.spot.line, step.spot.position};
    return true;
  });
  return clocks;
}

/// Races by a look at each pair, with a counter of the clock for each thread at hand.
std::uint64_t races_by_lookups(const HappenedBefore& happened, const std::vector<std::vector<Heard>>& clocks) {
  const EventTable& events = happened.events();
  std::uint64_t races = 0;
  for (std::size_t later = 0; later < happened.order().size(); ++later) {
    const std::uint32_t event = happened.order()[later];
    for (const std::uint32_t other : happened.order().first(later)) {
      const Spot spot = happened.spot(other);
      if (conflict(events[event], events[other]) && clocks[event][spot.line].position < spot.position) ++races;
    }
  }
  return races;
}

/// The same for each so-manieth event alone, by comparing clocks as they are sent.
std::uint64_t races_by_clocks(const HappenedBefore& happened, const std::vector<std::vector<Heard>>& clocks,
                              std::size_t each) {
  const EventTable& events = happened.events();
  std::vector<std::string> names;
  for (std::uint32_t line = 0; line < happened.lines(); ++line)
    names.push_back("thread-" + std::to_string(1000 + line));
  std::vector<std::vector<Component>> sent(clocks.size());
  for (std::size_t event = 0; event < clocks.size(); ++event) {
    for (const Heard& heard : clocks[event]) {
      if (heard.position > 0) sent[event].push_back({names[heard.line], heard.position});
    }
  }
  const auto cursor = [&](std::uint32_t event) {
    return SpanCursor(sent[event].data(), sent[event].data() + sent[event].size());
  };
  std::uint64_t races = 0;
  for (std::size_t later = 0; later < happened.order().size(); later += each) {
    const std::uint32_t event = happened.order()[later];
    for (const std::uint32_t other : happened.order().first(later)) {
      if (conflict(events[event], events[other]) && compare(cursor(other), cursor(event)) == Order::concurrent) ++races;
    }
  }
  return races;
}

void measure_pairs(const HappenedBefore& happened, std::uint64_t races) {
  constexpr std::size_t each = 100;
  const auto clocks = clocks_of(happened);
  std::uint64_t looked_up = 0;
  std::uint64_t compared = 0;
  const double lookups = seconds_of([&] { looked_up = races_by_lookups(happened, clocks); });
  const double comparing = seconds_of([&] { compared = races_by_clocks(happened, clocks, each); });
  if (looked_up != races || compared == 0 || compared > races) throw std::runtime_error("the races are not the same");
  std::printf(" clocks=%.6f lookups=%.6f", comparing * each, lookups);
}

void measure(std::size_t size, std::uint32_t threads, double links, bool pairs) {
  Accesses accesses(threads, links);
  EventTable table(size);
  // What it takes to make up the events is no part of it.
  const double drawing = seconds_of([&, same = Accesses(threads, links)]() mutable {
    for (std::size_t i = 0; i < size; ++i) same.next();
  });
  const double reading = seconds_of([&] {
    for (std::size_t i = 0; i < size; ++i) table.add(accesses.next());
    table.finish([](std::span<const std::uint32_t> places) { return std::vector<std::string>(places.size()); });
  });
  std::unique_ptr<HappenedBefore> happened;
  const double ordering = seconds_of([&] { happened = std::make_unique<HappenedBefore>(table); });
  Races races;
  const double counting = seconds_of([&] { races = find_races(*happened, LockSets(*happened), {}); });
  const std::size_t peak = peak_bytes();
  Races by_site;
  const double by_sites = seconds_of([&] { by_site = find_races(*happened, LockSets(*happened), {.by_site = true}); });
  const std::uint64_t found = races.pairs[0] + races.pairs[1];
  if (by_site.pairs != races.pairs || found == 0) throw std::runtime_error("the races of sites are not the same");
  std::printf("table=%.6f order=%.6f count=%.6f sites=%.6f peak=%zu races=%zu", reading - drawing, ordering, counting,
              by_sites, peak, static_cast<std::size_t>(found));
  if (pairs) measure_pairs(*happened, found);
  std::printf("\n");
}

}  // namespace
}  // namespace raceway::bench

int main(int argc, char** argv) {
  try {
    if (argc < 4) throw std::runtime_error("EVENTS THREADS SHARE_OF_LINKS [pairs]");
    raceway::bench::measure(std::stoul(argv[1]), static_cast<std::uint32_t>(std::stoul(argv[2])), std::stod(argv[3]),
                            argc > 4 && std::string(argv[4]) == "pairs");
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "races: " << error.what() << '\n';
    return 1;
  }
}
