// The PostgreSQL backend: the code in the database does the work, this asks it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "postgres/interrupt.hpp"
#include "postgres/pool.hpp"
#include "postgres/setup.hpp"
#include "storage/storage.hpp"

namespace raceway::server::postgres {

class PostgresStorage : public storage::Storage {
 public:
  /// `edition` is what the database has. Where it is replaced by the other one meanwhile, all goes on.
  PostgresStorage(const config::Postgres& options, Edition edition);

  std::vector<storage::IngestResult> ingest(const std::vector<std::string_view>& bodies) override;
  void check() override;
  void stop_reads() override;
  void stop() override;
  storage::Totals totals() override;
  storage::TracePage list_traces(const storage::TraceFilter& filter, std::uint64_t page,
                                 std::uint64_t page_size) override;
  std::optional<std::vector<storage::StoredEvent>> trace(const std::string& trace_id) override;
  void each_trace(
      const storage::TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
      const std::function<bool(const storage::TraceSummary&, std::vector<storage::StoredEvent>)>& visit) override;
  std::vector<storage::ServiceSummary> services() override;
  std::optional<storage::DatabaseUse> database_use() override { return pool_.use(); }

 private:
  Patience to_read() const;

  const std::chrono::milliseconds query_limit_;
  Interrupt reading_;
  Interrupt writing_;
  const Edition edition_;
  PgPool pool_;
};

}  // namespace raceway::server::postgres
