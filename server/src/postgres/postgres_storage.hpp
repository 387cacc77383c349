// The PostgreSQL backend: the code in the database does the work, this asks it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "postgres/interrupt.hpp"
#include "postgres/pool.hpp"
#include "postgres/setup.hpp"
#include "storage/arrivals.hpp"
#include "storage/byte_budget.hpp"
#include "storage/storage.hpp"

namespace raceway::server::postgres {

class PostgresStorage : public storage::Storage {
 public:
  /// `writers` is how many threads call ingest() at once. `edition` is what the database has. Where it is replaced by
  /// the other one meanwhile, all goes on. What is read of the database and shown is of `budget`, which outlives the
  /// storage.
  PostgresStorage(const config::Postgres& options, Edition edition, unsigned writers = 1,
                  storage::ByteBudget& budget = storage::ByteBudget::none());

  std::vector<storage::IngestResult> ingest(const std::vector<std::string_view>& bodies) override;
  void check() override;
  void stop_reads() override;
  void stop() override;
  storage::Totals totals() override;
  storage::TracePage list_traces(const storage::TraceFilter& filter, std::uint64_t page,
                                 std::uint64_t page_size) override;
  std::vector<storage::TraceState> traces_behind(const std::optional<storage::TracePlace>& place,
                                                 std::uint64_t most) override;
  std::unique_ptr<storage::TraceEvents> trace(const std::string& trace_id) override;
  void each_trace(const storage::TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
                  const VisitTrace& visit) override;
  std::vector<storage::TraceSummary> summaries(const std::vector<std::string>& trace_ids) override;
  storage::Changes changes(std::optional<std::int64_t> since, std::size_t most) override;
  std::vector<storage::StoredEvent> events_of(const std::string& trace_id,
                                              const std::vector<std::string>& event_ids) override;
  bool traces_of(const std::vector<std::string>& trace_ids, const VisitTrace& visit) override;
  std::vector<storage::ServiceSummary> services() override;
  std::optional<storage::DatabaseUse> database_use() override { return pool_.use(); }
  std::optional<storage::DatabaseReport> database_report(std::uint64_t cleanups) override;

 private:
  Patience to_read() const;

  storage::ByteBudget& budget_;
  const std::chrono::milliseconds query_limit_;
  Interrupt reading_;
  Interrupt writing_;
  const Edition edition_;
  storage::Arrivals arrivals_;
  PgPool pool_;
};

}  // namespace raceway::server::postgres
