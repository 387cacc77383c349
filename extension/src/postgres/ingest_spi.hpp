// Storing events by one SQL statement for a whole batch: right whatever the tables look like.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "postgres/boundary.hpp"
#include "postgres/ingest_store.hpp"
#include "wire/event.hpp"

namespace raceway::postgres {

/// Offers the events, in the order of their identity and each once. Every event is stored or stands already, or is left
/// as refused: not there, and not taken either. Throws where the database refuses them. SPI must be connected.
std::vector<StoreOutcome> offer_by_sql(std::span<const wire::Event* const> events, EventIdentity identity);

/// Offers events that come by ascending id, those of one id in their order, as if each were sent alone. Throws as
/// offer_by_sql() does. SPI must be connected.
std::vector<StoreOutcome> offer_one_by_one(std::span<const wire::Event* const> events);

/// Has whoever else holds a row be an error (55P03) after a moment, for the rest of the subtransaction. SPI must be
/// connected.
void limit_waits();

/// Sets the service of each trace to that of its earliest event, by time, then id. The traces must be locked by this
/// transaction, and SPI connected.
void name_services(const std::vector<std::string>& trace_ids);

}  // namespace raceway::postgres
