// Puts a body's events into the memory store.
#pragma once

#include "memory/store.hpp"
#include "storage/storage.hpp"
#include "wire/batch.hpp"

namespace raceway::server::memory {

/// Takes the batch's rejections into the result. Each event is in the store, with all that counts it, or not at all; of
/// two with one id the first of the body stands. Safe from many threads at once. Throws std::bad_alloc or
/// std::length_error: some of the events may be in then, and offering the body again is safe.
storage::IngestResult ingest(Store& store, wire::Batch& batch);

}  // namespace raceway::server::memory
