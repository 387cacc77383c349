// What an import did, counted and told. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <iosfwd>
#include <mutex>
#include <string>

#include "moving/event_sink.hpp"

namespace raceway::server::moving {

class Report {
 public:
  /// Problems go to `out` as they come, the first `most_told` of them.
  explicit Report(std::ostream& out) : out_(out) {}

  void stored(std::uint64_t events, std::uint64_t duplicates) {
    stored_ += events;
    duplicates_ += duplicates;
  }
  void rejected(const Place& place, const std::string& id, const std::string& reason);
  /// So many more, of which a target has told nothing else.
  void rejected_untold(std::uint64_t events) { rejected_ += events; }
  void unreadable(const Place& place, const std::string& what);
  /// Of the file itself, rather than of its text.
  void unreadable(const std::string& what);
  /// Something that people should know, and that is no problem of an event.
  void note(const std::string& what);
  void note(const Place& place, const std::string& what);

  std::uint64_t events() const { return stored_ + duplicates_ + rejected_; }
  bool has_problems() const { return rejected_ > 0 || unreadable_ > 0; }
  /// One line with all the counts.
  std::string summary() const;

  static constexpr std::uint64_t most_told = 1'000;

 private:
  void tell(const std::string& line);

  std::ostream& out_;
  std::mutex mutex_;
  std::uint64_t told_ = 0;
  std::atomic<std::uint64_t> stored_ = 0;
  std::atomic<std::uint64_t> duplicates_ = 0;
  std::atomic<std::uint64_t> rejected_ = 0;
  std::atomic<std::uint64_t> unreadable_ = 0;
};

}  // namespace raceway::server::moving
