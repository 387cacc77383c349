#include "moving/report.hpp"

#include <ostream>

#include "http/envelope.hpp"
#include "terminal/for_terminal.hpp"

namespace raceway::server::moving {
namespace {

std::string shown(const Place& place) {
  return "line " + std::to_string(place.line) + ", byte " + std::to_string(place.byte) + ", event " +
         std::to_string(place.index);
}

}  // namespace

void Report::tell(const std::string& line) {
  const std::scoped_lock lock(mutex_);
  if (told_ == most_told) out_ << "further problems are counted, and not told\n";
  if (told_++ < most_told) out_ << terminal::line_for_terminal(line) << '\n';
}

void Report::rejected(const Place& place, const std::string& id, const std::string& reason) {
  ++rejected_;
  tell("rejected: " + shown(place) + ", id " + http::json_string(id) + ": " + reason);
}

void Report::unreadable(const Place& place, const std::string& what) {
  ++unreadable_;
  tell("unreadable: " + shown(place) + ": " + what);
}

void Report::unreadable(const std::string& what) {
  ++unreadable_;
  tell("unreadable: " + what);
}

void Report::note(const std::string& what) {
  const std::scoped_lock lock(mutex_);
  out_ << terminal::line_for_terminal(what) << '\n';
}

void Report::note(const Place& place, const std::string& what) {
  tell("warning: " + shown(place) + ": " + what);
}

std::string Report::summary() const {
  std::string text = "stored " + std::to_string(stored_) + ", duplicates " + std::to_string(duplicates_) +
                     ", rejected " + std::to_string(rejected_);
  if (unreadable_ > 0) text += ", unreadable places " + std::to_string(unreadable_);
  return text;
}

}  // namespace raceway::server::moving
