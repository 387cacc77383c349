#include "postgres/connect.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <string_view>
#include <thread>
#include <utility>

#include "config/connection_string.hpp"

namespace raceway::server::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What the connecting thread and the one that waits for it share; the last of them removes it.
struct Attempt {
  Interrupt done;
  std::unique_ptr<PgConnection> connection;
  std::exception_ptr failure;
};

/// How many hosts a connection string names.
int count_hosts(const std::string& connection_string) {
  const auto options = config::parse_connection_string(connection_string);
  std::ptrdiff_t most = 1;
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    const std::string_view keyword = option->keyword;
    if (option->val == nullptr || (keyword != "host" && keyword != "hostaddr")) continue;
    const std::string_view value = option->val;
    most = std::max(most, 1 + std::count(value.begin(), value.end(), ','));
  }
  return static_cast<int>(most);
}

/// Whether it is done; false where the time is over or the interrupt came first.
bool wait_for(const Attempt& attempt, milliseconds timeout, const Interrupt& interrupt) {
  std::array<pollfd, 2> watched{{{attempt.done.descriptor(), POLLIN, 0}, {interrupt.descriptor(), POLLIN, 0}}};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = poll(watched.data(), watched.size(), static_cast<int>(std::max(milliseconds(0), left).count()));
    if (ready < 0 && errno == EINTR) continue;
    // Asked rather than seen by poll(), so that what its thread wrote before is ours to read.
    return attempt.done.raised();
  }
}

}  // namespace

std::unique_ptr<PgConnection> connect_within(const std::string& connection_string, milliseconds timeout,
                                             const Interrupt& interrupt) {
  const auto for_each = std::chrono::ceil<seconds>(timeout / count_hosts(connection_string));
  const auto attempt = std::make_shared<Attempt>();
  // libpq can neither be interrupted while it connects nor does its limit hold for name look-ups. Where it is given up,
  // its thread ends by itself and closes what it may have opened.
  std::thread([attempt, connection_string, for_each] {
    try {
      attempt->connection = std::make_unique<PgConnection>(connection_string, for_each);
    } catch (...) {
      attempt->failure = std::current_exception();
    }
    attempt->done.raise();
  }).detach();
  // libpq's own limit comes first and has the better words.
  if (!wait_for(*attempt, timeout + seconds(1), interrupt)) {
    if (interrupt.raised()) throw DatabaseError("the server is stopping", {});
    throw DatabaseError("no connection within " + std::to_string(timeout.count() / 1000) + " s", {});
  }
  if (attempt->failure) std::rethrow_exception(attempt->failure);
  return std::move(attempt->connection);
}

}  // namespace raceway::server::postgres
