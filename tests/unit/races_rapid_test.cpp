// The races of the core against those of a detector of the classical kind, which reads a trace event by event and keeps
// vector clocks of its own (DJIT+: Pozniansky and Schuster, 2003). Traces are in the STD form of RAPID,
// `thread|operation(operand)|location`, with r, w, acq, rel, fork and join.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "causality/races.hpp"
#include "happened_before_support.hpp"

namespace raceway::causality {
namespace {

struct Operation {
  std::string thread;
  std::string name;
  std::string operand;
  std::string location;

  bool accesses() const { return name == "r" || name == "w"; }
};

using Operations = std::vector<Operation>;

Operations read_std(const std::string& text) {
  Operations operations;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto bar = line.find('|');
    const auto open = line.find('(', bar);
    const auto close = line.find(")|", open);
    operations.push_back({line.substr(0, bar), line.substr(bar + 1, open - bar - 1),
                          line.substr(open + 1, close - open - 1), line.substr(close + 2)});
  }
  return operations;
}

/// The accesses, by place in the trace, that an earlier one conflicts with and is not ordered before.
std::set<std::size_t> detected(const Operations& operations) {
  using Clock = std::map<std::string, int>;
  const auto join = [](Clock& clock, const Clock& other) {
    for (const auto& [thread, time] : other) clock[thread] = std::max(clock[thread], time);
  };
  const auto is_within = [](const Clock& earlier, Clock& clock) {
    return std::ranges::all_of(earlier, [&](const auto& each) { return each.second <= clock[each.first]; });
  };
  std::map<std::string, Clock> threads;
  std::map<std::string, Clock> locks;
  std::map<std::string, Clock> reads;   // of each variable the time of each thread's last one
  std::map<std::string, Clock> writes;  // likewise
  std::set<std::size_t> racy;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto& [thread, name, operand, location] = operations[i];
    Clock& clock = threads[thread];
    if (clock.empty()) clock[thread] = 1;
    if (name == "acq") join(clock, locks[operand]);
    if (name == "join") join(clock, threads[operand]);
    if (name == "r" || name == "w") {
      if (!is_within(writes[operand], clock) || (name == "w" && !is_within(reads[operand], clock))) racy.insert(i);
      (name == "w" ? writes : reads)[operand][thread] = clock[thread];
    }
    if (name == "rel") locks[operand] = clock;
    if (name == "fork") {
      threads[operand][operand] = 1;
      join(threads[operand], clock);
    }
    if (name == "rel" || name == "fork") ++clock[thread];
  }
  return racy;
}

/// The operation right before each that it follows: in its thread, and by fork, join and lock.
std::vector<std::vector<std::size_t>> direct_causes(const Operations& operations) {
  std::vector<std::vector<std::size_t>> causes(operations.size());
  std::map<std::string, std::size_t> last;  // of a thread; of a lock ("lock l") its release
  const auto after = [&](std::size_t i, const std::string& what) {
    if (const auto at = last.find(what); at != last.end()) causes[i].push_back(at->second);
  };
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const auto& [thread, name, operand, location] = operations[i];
    after(i, thread);
    if (!last.contains(thread)) after(i, "fork " + thread);
    if (name == "join") after(i, operand);
    if (name == "acq") after(i, "lock " + operand);
    if (name == "fork") last["fork " + operand] = i;
    if (name == "rel") last["lock " + operand] = i;
    last[thread] = i;
  }
  return causes;
}

Facts accesses_of(const Operations& operations) {
  Facts facts;
  for (const auto& [thread, name, operand, location] : operations) {
    Fact fact;
    fact.id = std::to_string(facts.size());
    fact.time = static_cast<std::int64_t>(facts.size());
    fact.thread = thread;
    fact.location = location;
    fact.subject = operand;
    fact.access = name == "r" ? Access::read : name == "w" ? Access::write : Access::no_access;
    fact.kind = name == "acq" ? Kind::lock_acquire : name == "rel" ? Kind::lock_release : Kind::state_change;
    facts.push_back(fact);
  }
  return facts;
}

/// Told as clocks: of each thread, how many of its events happened before, by the closure of the direct causes.
Facts with_clocks(const Operations& operations) {
  Facts facts = accesses_of(operations);
  const auto causes = direct_causes(operations);
  std::vector<std::set<std::size_t>> past(operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) {
    past[i].insert(i);
    for (const std::size_t cause : causes[i]) past[i].insert(past[cause].begin(), past[cause].end());
    std::map<std::string, Counter> clock;
    for (const std::size_t event : past[i]) ++clock[operations[event].thread];
    facts[i].clock.assign(clock.begin(), clock.end());
  }
  return facts;
}

/// Told as links: tasks that are spawned and awaited, and the release that an acquire followed as its parent.
Facts with_links(const Operations& operations) {
  Facts facts = accesses_of(operations);
  std::map<std::string, std::string> released;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const Operation& operation = operations[i];
    if (operation.name == "fork") facts[i].kind = Kind::async_spawn;
    if (operation.name == "join") facts[i].kind = Kind::async_await;
    if (operation.name == "acq") facts[i].parent = released[operation.operand];
    if (operation.name == "rel") released[operation.operand] = facts[i].id;
  }
  return facts;
}

std::set<std::size_t> found_in(const Facts& facts) {
  const Told told(facts);
  const auto races = find_races(told.happened, LockSets(told.happened), {.most_pairs = 100'000});
  std::set<std::size_t> racy;
  for (const RacePair& pair : races.listed) racy.insert(std::stoul(told.id(pair.later)));
  return racy;
}

TEST(RapidTraces, AreReadAndTheirRacyAccessesAreThoseOfTheDetector) {
  const auto operations = read_std(
      "main|w(x)|a.c:1\n"
      "main|fork(t1)|a.c:2\n"
      "main|fork(t2)|a.c:3\n"
      "t1|r(x)|b.c:1\n"
      "t1|acq(l)|b.c:2\n"
      "t1|w(y)|b.c:3\n"
      "t1|rel(l)|b.c:4\n"
      "t1|w(z)|b.c:5\n"
      "t2|w(z)|c.c:1\n"
      "t2|acq(l)|c.c:2\n"
      "t2|w(y)|c.c:3\n"
      "t2|rel(l)|c.c:4\n"
      "t2|w(x)|c.c:5\n"
      "main|r(x)|a.c:4\n"
      "main|join(t1)|a.c:5\n"
      "main|join(t2)|a.c:6\n"
      "main|w(z)|a.c:7\n");
  ASSERT_EQ(operations[16].location, "a.c:7");
  // t2's z with that of t1; main's x with that of t2. t2's x is behind t1's read of it, by the lock.
  const std::set<std::size_t> racy = {8, 13};
  EXPECT_EQ(detected(operations), racy);
  EXPECT_EQ(found_in(with_clocks(operations)), racy);
  EXPECT_EQ(found_in(with_links(operations)), racy);
}

/// A run of a few threads that keep the rules: they begin when they are forked, end when they are joined, and a lock is
/// held by one of them.
class Run {
 public:
  explicit Run(int steps) {
    running_.emplace_back("t0");
    for (int i = 0; i < steps; ++i) step();
  }
  const std::string& text() const { return text_; }

 private:
  static int any(int bound) { return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, bound)); }

  void tell(const std::string& thread, const std::string& name, const std::string& operand) {
    text_ += thread + "|" + name + "(" + operand + ")|r.c:" + std::to_string(++lines_) + "\n";
    has_run_.insert(thread);
  }

  void step() {
    const std::string thread = running_[static_cast<std::size_t>(any(static_cast<int>(running_.size())))];
    const int what = any(10);
    const std::string lock = "l" + std::to_string(any(2));
    if (what < 6) return tell(thread, any(3) == 0 ? "w" : "r", "x" + std::to_string(any(3)));
    if (what < 8) {
      const auto holder = holders_.find(lock);
      if (holder == holders_.end()) {
        holders_[lock] = thread;
        tell(thread, "acq", lock);
      } else if (holder->second == thread) {
        holders_.erase(holder);
        tell(thread, "rel", lock);
      }
      return;
    }
    if (what == 8 && forked_ < 5) {
      running_.push_back("t" + std::to_string(++forked_));
      return tell(thread, "fork", running_.back());
    }
    join(thread);
  }

  /// Another one that has done something, holds no lock, and does nothing behind that.
  void join(const std::string& thread) {
    const auto ended = std::ranges::find_if(running_, [&](const std::string& other) {
      return other != thread && has_run_.contains(other) &&
             std::ranges::none_of(holders_, [&](const auto& held) { return held.second == other; });
    });
    if (ended == running_.end()) return;
    const std::string other = *ended;
    running_.erase(ended);
    tell(thread, "join", other);
  }

  std::string text_;
  int lines_ = 0;
  int forked_ = 0;
  std::vector<std::string> running_;
  std::set<std::string> has_run_;
  std::map<std::string, std::string> holders_;
};

RC_GTEST_PROP(RapidTraces, HaveTheRacyAccessesOfTheDetector, ()) {
  const Run run(*rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 120)));
  const auto operations = read_std(run.text());
  const auto racy = detected(operations);
  RC_CLASSIFY(!racy.empty(), "with races");
  RC_ASSERT(found_in(with_clocks(operations)) == racy);
  RC_ASSERT(found_in(with_links(operations)) == racy);
}

}  // namespace
}  // namespace raceway::causality
