#include "postgres/pool.hpp"

#include <algorithm>

#include "postgres/connect.hpp"
#include "storage/storage.hpp"

namespace raceway::server::postgres {

unsigned most_writers(unsigned max_connections) {
  return max_connections > 2 ? max_connections - 2 : 1;
}

void throw_unavailable(const DatabaseError& error) {
  throw storage::Unavailable(std::string("the database: ") + error.what(), "the database cannot answer now");
}

void PgPool::wake() {
  const std::scoped_lock lock(mutex_);
  returned_.notify_all();
}

/// How many those of one purpose may have at a time.
unsigned PgPool::most(Purpose purpose) const {
  const unsigned all = options_.max_connections;
  if (purpose == Purpose::check || all < 2) return all;
  if (purpose == Purpose::write) return most_writers(all);
  return all > options_.writers + 1 ? all - options_.writers - 1 : 1;
}

PgPool::Loan PgPool::lend(Purpose purpose, const Patience& patience, bool want_fresh) {
  const auto deadline = std::chrono::steady_clock::now() + options_.timeout;
  std::unique_lock lock(mutex_);
  // After one connection broke, the others that idled beside it are likely to have broken, too.
  if (want_fresh) {
    open_ -= static_cast<unsigned>(idle_.size());
    idle_.clear();
  }
  const auto& stop = *patience.interrupt;
  unsigned& lent = lent_[static_cast<std::size_t>(purpose)];
  const auto can_have = [&] { return lent < most(purpose) && (!idle_.empty() || open_ < options_.max_connections); };
  ++waiting_;
  const bool had = returned_.wait_until(lock, deadline, [&] { return can_have() || stop.raised(); });
  --waiting_;
  if (!had) {
    ++timeouts_;
    throw storage::Unavailable("all " + std::to_string(most(purpose)) +
                               " connections to the database that there are for this are in use");
  }
  if (stop.raised()) throw storage::Unavailable("the server is stopping");
  ++lent;
  if (!idle_.empty()) {
    auto connection = std::move(idle_.front().connection);
    idle_.pop_front();
    connection->set_patience(patience);
    return {*this, purpose, std::move(connection), false};
  }
  ++open_;
  lock.unlock();
  const auto left = deadline - std::chrono::steady_clock::now();
  try {
    auto connection =
        connect_within(options_.connection_string, std::chrono::duration_cast<std::chrono::milliseconds>(left), stop);
    connection->set_patience(patience);
    return {*this, purpose, std::move(connection), true};
  } catch (...) {
    give_back(purpose, nullptr);
    throw;
  }
}

void PgPool::give_back(Purpose purpose, std::unique_ptr<PgConnection> connection) {
  const std::scoped_lock lock(mutex_);
  --lent_[static_cast<std::size_t>(purpose)];
  if (connection && connection->usable()) {
    answered_at_ = std::chrono::steady_clock::now();
    idle_.push_front({std::move(connection), answered_at_});
    close_idle();
  } else {
    --open_;
  }
  returned_.notify_all();  // whom it is for depends on the purpose
}

storage::DatabaseUse PgPool::use() const {
  const std::scoped_lock lock(mutex_);
  const auto idle = static_cast<unsigned>(idle_.size());
  return {open_ - idle, idle, waiting_, options_.max_connections, timeouts_, answered_at_};
}

void PgPool::close_idle() {
  const auto before = std::chrono::steady_clock::now() - options_.idle;
  while (!idle_.empty() && open_ > options_.min_connections && idle_.back().since < before) {
    idle_.pop_back();
    --open_;
  }
}

}  // namespace raceway::server::postgres
