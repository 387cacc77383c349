#include "moving/target.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "moving/http_client.hpp"
#include "postgres/postgres_storage.hpp"
#include "postgres/setup.hpp"
#include "wire/batch.hpp"
#include "wire/errors.hpp"

namespace raceway::server::moving {
namespace {

constexpr std::chrono::seconds shortest_attempt{2};

class ServerTarget : public Target {
 public:
  explicit ServerTarget(const config::Endpoint& endpoint) : shown_(endpoint.shown), client_(endpoint) {}

  storage::IngestResult send(std::string_view body) override {
    const ServerAnswer answer = ask(body);
    switch (answer.status) {
      case 200:
        return read(answer.body);
      case 400:
      case 413:
      case 422:
        throw BodyRefused(answer.body);
      case 408:
      case 429:
      case 500:
      case 502:
      case 503:
      case 504:
        throw ComeAgain(shown_ + ": " + answer.body, answer.retry_after);
      default:
        throw ServerError(shown_ + ": " + answer.body);
    }
  }

 private:
  ServerAnswer ask(std::string_view body) {
    try {
      return client_.post("/events", body);
    } catch (const ServerError& error) {
      throw ComeAgain(error.what(), std::nullopt);  // an event that was stored already is a duplicate then
    }
  }

  storage::IngestResult read(const std::string& text) const {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("stored") || !json.contains("rejected")) {
      throw ServerError(shown_ + " does not say what it stored; it is no server of this kind");
    }
    storage::IngestResult result;
    result.stored = json.at("stored").get<std::uint64_t>();
    result.duplicates = json.value("duplicates", std::uint64_t{0});
    std::vector<wire::Rejection> told;
    for (const auto& rejection : json.at("rejected")) {
      told.push_back(
          {rejection.at("index").get<std::uint32_t>(), rejection.value("id", ""), rejection.value("reason", "")});
    }
    const auto count = json.value("rejected_count", std::uint64_t{told.size()});
    result.rejected = {std::move(told), count};
    return result;
  }

  const std::string shown_;
  HttpClient client_;
};

class DatabaseTarget : public Target {
 public:
  explicit DatabaseTarget(std::shared_ptr<storage::Storage> storage) : storage_(std::move(storage)) {}

  storage::IngestResult send(std::string_view body) override {
    try {
      wire::read_batch(body);  // as a server does: the database gets nothing that is no body
    } catch (const wire::BodyError& error) {
      throw BodyRefused(error.what());
    }
    try {
      return std::move(storage_->ingest({body}).front());
    } catch (const storage::BodyTooLarge& error) {
      throw BodyRefused(error.what());
    } catch (const storage::Unavailable& error) {
      throw ComeAgain(error.what(), std::nullopt);
    }
  }

 private:
  std::shared_ptr<storage::Storage> storage_;
};

/// Waits for it as long as its connection_timeout says.
postgres::Edition prepare_database(const config::Storage& database) {
  const auto since = std::chrono::steady_clock::now();
  const auto give_up = database.postgres.connection_timeout;
  try {
    return postgres::prepare(database).edition;
  } catch (const postgres::SetupError& error) {
    if (std::chrono::steady_clock::now() - since < give_up) throw;
    throw std::runtime_error(given_up(give_up, error.what()));
  }
}

}  // namespace

std::string given_up(std::chrono::milliseconds after, const std::string& what) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(after).count();
  return "given up after " + std::to_string(seconds) + " s, as --give-up says: " + what;
}

OpenTarget prepare_target(const config::Endpoint& endpoint, std::chrono::seconds give_up) {
  if (endpoint.is_server) {
    return [endpoint] { return std::make_unique<ServerTarget>(endpoint); };
  }
  config::Storage database;
  database.backend = config::Backend::postgres;
  database.postgres = endpoint.postgres;
  database.postgres.connection_timeout = give_up;
  const auto edition = prepare_database(database);
  // Between two looks at the time no attempt takes longer than all of them may.
  database.postgres.connection_timeout =
      std::min(endpoint.postgres.connection_timeout, std::max(give_up, shortest_attempt));
  auto storage = std::make_shared<postgres::PostgresStorage>(database.postgres, edition);
  return [storage] { return std::make_unique<DatabaseTarget>(storage); };
}

}  // namespace raceway::server::moving
