// The API's routes: what a request asks of the storage, and the JSON it gets.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "analysis/roll_ups.hpp"
#include "analysis/trace_facts.hpp"
#include "http/pulse.hpp"
#include "http/server.hpp"
#include "ingest/ingestor.hpp"
#include "storage/storage.hpp"

namespace raceway::server::http {

/// What the routes work on. Must outlive the server.
struct Api {
  storage::Storage& storage;
  ingest::Ingestor& ingestor;
  storage::ByteBudget& budget = storage::ByteBudget::none();  ///< of what answers are made from
  analysis::RollUps roll_ups{storage, budget};                ///< what is known of all traces
  analysis::FactsOfTraces facts{storage, budget};             ///< of traces that were listed
  Pulse pulse{};
  std::vector<std::string> listening = {};  ///< the addresses, as URLs; set before the server runs
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

/// Adds every route of the API to `server`.
void add_api_routes(Server& server, Api& api);

/// Takes the request's body to the storage. Throws Refusal where it cannot be taken as it is, storage::Unavailable
/// where it may be later.
ingest::Answer take_body(Api& api, Request& request);

/// The largest page of a list; a larger page_size is taken for this one.
inline constexpr std::uint64_t max_page_size = 1000;

}  // namespace raceway::server::http
