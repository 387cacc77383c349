// The PostgreSQL backend: the code in the database does the work, this asks it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "storage/interrupt.hpp"
#include "storage/pg_pool.hpp"
#include "storage/postgres_setup.hpp"
#include "storage/storage.hpp"

namespace raceway::server::storage {

class PostgresStorage : public Storage {
 public:
  /// `edition` is what the database has. Where it is replaced by the other one meanwhile, all goes on.
  PostgresStorage(const config::Postgres& options, Edition edition);

  std::vector<IngestResult> ingest(const std::vector<std::string_view>& bodies) override;
  void check() override;
  void stop_reads() override;
  void stop() override;
  Totals totals() override;
  TracePage list_traces(const TraceFilter& filter, std::uint64_t page, std::uint64_t page_size) override;
  std::optional<std::vector<StoredEvent>> trace(const std::string& trace_id) override;
  void each_trace(const TraceFilter& filter, const std::function<void(std::uint64_t)>& begin,
                  const std::function<bool(const TraceSummary&, std::vector<StoredEvent>)>& visit) override;
  std::vector<ServiceSummary> services() override;
  std::optional<DatabaseUse> database_use() override { return pool_.use(); }

 private:
  Patience to_read() const;

  const std::chrono::milliseconds query_limit_;
  Interrupt reading_;
  Interrupt writing_;
  const Edition edition_;
  PgPool pool_;
};

}  // namespace raceway::server::storage
