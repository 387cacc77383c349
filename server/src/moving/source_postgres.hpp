// Events straight out of the tables, by a cursor in one snapshot.
#pragma once

#include "moving/source.hpp"
#include "postgres/connection.hpp"

namespace raceway::server::moving {

class PostgresSource : public Source {
 public:
  explicit PostgresSource(const config::Postgres& options);
  std::vector<std::string> each_event(const Selection& selection, bool by_trace, const VisitEvent& visit) override;

 private:
  postgres::PgConnection connection_;
};

}  // namespace raceway::server::moving
