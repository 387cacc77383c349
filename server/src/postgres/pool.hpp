// A bounded pool of connections that opens them when they are needed and forgets those that broke.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>

#include "postgres/connection.hpp"
#include "postgres/interrupt.hpp"
#include "storage/storage.hpp"

namespace raceway::server::postgres {

/// Those who write, who read, and who ask whether the database answers keep connections from each other only where
/// there are fewer than three.
enum class Purpose { write, read, check };
/// How many of so many connections those who write may have at a time.
unsigned most_writers(unsigned max_connections);
inline constexpr std::size_t purposes = 3;

struct PgPoolOptions {
  std::string connection_string;
  unsigned max_connections = 10;
  unsigned writers = 1;              ///< connections that are kept for those who write, where there are enough
  unsigned min_connections = 2;      ///< kept open when idle, once they have been opened
  std::chrono::seconds timeout{30};  ///< for getting a connection, waiting and connecting together
  std::chrono::seconds idle{60};     ///< connections beyond min_connections are closed after this
};

/// Thread-safe.
class PgPool {
 public:
  explicit PgPool(PgPoolOptions options) : options_(std::move(options)) {}

  /// Runs `use` with a connection. Throws Unavailable where none is to be had in time or the database fails, with its
  /// message. A connection that had been idle and turns out to be broken is replaced, and `use` is called once more
  /// with a fresh one: it must bear being done twice.
  /// The statements of `use` have `patience`, which has an interrupt; getting a connection ends with that, too.
  template <class F>
  auto with_connection(Purpose purpose, const Patience& patience, F&& use) -> std::invoke_result_t<F&, PgConnection&>;

  /// After an interrupt was raised: wakes those who wait for a connection.
  void wake();

  storage::DatabaseUse use() const;

 private:
  struct Idle {
    std::unique_ptr<PgConnection> connection;
    std::chrono::steady_clock::time_point since;
  };
  /// A connection on loan; comes back, or is forgotten, when it goes.
  class Loan {
   public:
    Loan(PgPool& pool, Purpose purpose, std::unique_ptr<PgConnection> connection, bool is_fresh)
        : fresh(is_fresh), pool_(pool), purpose_(purpose), connection_(std::move(connection)) {}
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() { pool_.give_back(purpose_, std::move(connection_)); }
    PgConnection& operator*() { return *connection_; }
    const bool fresh;

   private:
    PgPool& pool_;
    const Purpose purpose_;
    std::unique_ptr<PgConnection> connection_;
  };

  unsigned most(Purpose purpose) const;
  Loan lend(Purpose purpose, const Patience& patience, bool want_fresh);
  void give_back(Purpose purpose, std::unique_ptr<PgConnection> connection);
  void close_idle();

  const PgPoolOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::list<Idle> idle_;                   // used last first
  std::array<unsigned, purposes> lent_{};  // by Purpose; those that are being opened among them
  unsigned open_ = 0;                      // on loan, idle, or being opened
  unsigned waiting_ = 0;
  std::uint64_t timeouts_ = 0;
  std::chrono::steady_clock::time_point answered_at_{};
};

/// Turns a database's error into what the storage throws.
[[noreturn]] void throw_unavailable(const DatabaseError& error);

template <class F>
auto PgPool::with_connection(Purpose purpose, const Patience& patience, F&& use)
    -> std::invoke_result_t<F&, PgConnection&> {
  try {
    {
      Loan loan = lend(purpose, patience, false);
      try {
        return use(*loan);
      } catch (const DatabaseError&) {
        // Only a connection that broke while it was idle is no news about the database.
        if (loan.fresh || !(*loan).broken()) throw;
      }
    }
    Loan loan = lend(purpose, patience, true);
    return use(*loan);
  } catch (const DatabaseError& error) {
    throw_unavailable(error);
  }
}

}  // namespace raceway::server::postgres
