#include "postgres/analysis_refresher.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "postgres/connection.hpp"

namespace raceway::server::postgres {
namespace {

/// In one call, so that a server that stops leaves little behind that goes on.
constexpr std::int64_t traces_a_call = 2'000;

/// What will not be otherwise the next time: no privilege, no such procedure, no such table.
bool is_for_good(const DatabaseError& error) {
  constexpr std::array<std::string_view, 3> states = {"42501", "42883", "42P01"};
  return std::ranges::find(states, error.sqlstate()) != states.end();
}

}  // namespace

AnalysisRefresher::AnalysisRefresher(config::Postgres options)
    : options_(std::move(options)), thread_([this] { run(); }) {}

AnalysisRefresher::~AnalysisRefresher() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  interrupt_.raise();
  stop_.notify_all();
  thread_.join();
}

void AnalysisRefresher::run() {
  std::unique_lock lock(mutex_);
  bool goes_on = true;
  while (goes_on && !stop_.wait_for(lock, options_.refresh_analysis, [this] { return stopping_; })) {
    lock.unlock();
    goes_on = refresh();
    lock.lock();
  }
}

/// Answers whether to try again later.
bool AnalysisRefresher::refresh() {
  try {
    PgConnection connection(options_.connection_string, options_.connection_timeout);
    connection.set_patience({std::nullopt, &interrupt_});
    std::int64_t refreshed = traces_a_call;
    while (refreshed >= traces_a_call && !interrupt_.raised()) {
      const auto answer = connection.run("CALL raceway.refresh_analysis(" + std::to_string(traces_a_call) + ")");
      refreshed = answer.int64(0, 0);
    }
    last_failure_.clear();
  } catch (const DatabaseError& error) {
    if (interrupt_.raised()) return false;
    if (is_for_good(error)) {
      spdlog::info("the answers about all traces are not kept up to date by this server: {}", error.what());
      return false;
    }
    if (last_failure_ != error.what()) spdlog::warn("refresh_analysis() failed: {}", error.what());
    last_failure_ = error.what();
  }
  return true;
}

}  // namespace raceway::server::postgres
