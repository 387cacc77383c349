// How bodies of events get from a request into the storage.
#pragma once

#include <cstdint>
#include <string>

#include "ingest/figures.hpp"
#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"

namespace raceway::server::ingest {

/// What a client is told about its body. With ack = "buffered", `stored` counts what was taken over, duplicates among
/// it.
using Answer = storage::IngestResult;

/// Thread-safe.
class Ingestor {
 public:
  virtual ~Ingestor() = default;

  /// Takes one body of POST /events; answers when it is acknowledged. Throws wire::BodyError where it is none,
  /// storage::BodyTooLarge where the storage takes none so large, and storage::Unavailable where it cannot be taken
  /// now, or not in time; then nothing of it is promised. `body` is moved from where it is needed longer than the call,
  /// else it is left as it is. `held` is what the body takes
  /// of the budget of bytes in flight; it is kept as long as the body is.
  virtual Answer take(std::string&& body, storage::ByteBudget::Hold held = {}) = 0;

  /// Lets go of nothing that was acknowledged: returns once all of it is stored, or the time to drain is over. Then it
  /// stops the storage, should that hang.
  /// Answers how many acknowledged events could not be stored. No take() may run or follow.
  virtual std::uint64_t drain() = 0;

  /// What became of the events, since the start.
  const Figures& figures() const { return figures_; }
  virtual Depth depth() const { return {}; }

 protected:
  Figures figures_;
};

/// Straight into the storage, for one that is as fast as memory.
class DirectIngestor : public Ingestor {
 public:
  explicit DirectIngestor(storage::Storage& storage) : storage_(storage) {}
  Answer take(std::string&& body, storage::ByteBudget::Hold /*held*/ = {}) override {
    auto answer = std::move(storage_.ingest({body}).front());
    figures_.add(answer);
    return answer;
  }
  std::uint64_t drain() override { return 0; }

 private:
  storage::Storage& storage_;
};

}  // namespace raceway::server::ingest
