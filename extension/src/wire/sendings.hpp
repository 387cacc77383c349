// Events that are sent more than once, in one body or in several: which sending is offered to a store, and what is
// answered to each of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "wire/batch.hpp"
#include "wire/rejections.hpp"

namespace raceway::wire {

/// What tells events apart: the id; where a table is partitioned by time, its key holds the time, and so does the
/// identity.
struct EventIdentity {
  bool with_time = false;

  bool same(const Event& a, const Event& b) const {
    return a.event_id == b.event_id && (!with_time || a.timestamp == b.timestamp);
  }
  /// In this order batches wait for each other.
  bool before(const Event& a, const Event& b) const {
    const auto by_id = a.event_id <=> b.event_id;
    return by_id != 0 ? by_id < 0 : with_time && a.timestamp < b.timestamp;
  }
};

/// One time that an event was sent. Refers to a batch.
struct Sending {
  std::size_t body;
  const Event* event;
};

/// Every sending, by the event's identity; of equal ones the one sent first comes first. Takes steps of the allowance.
std::vector<Sending> sendings_by_identity(std::span<const Batch> batches, EventIdentity identity, Allowance& allowance);

/// The sendings of each event, in the order in which the events were first sent. Refers to `sendings`.
std::vector<std::span<const Sending>> group_by_event(std::span<const Sending> sendings, EventIdentity identity);

/// What became of an event that was offered to a store.
struct StoreOutcome {
  enum class Kind { stored, stands_already, refused };
  Kind kind = Kind::refused;
  std::string text;                 ///< stands_already: the trace it stands under; refused: the store's reason
  std::string other_contents = {};  ///< stands_already under its own trace: why it is no duplicate, where it is none
};

/// What is reported of one body.
struct BodyOutcome {
  std::uint64_t stored = 0;
  std::uint64_t duplicates = 0;
  Rejections rejected;
};

/// Counts the sendings of one event, of which the first was offered, in the outcomes of their bodies. Appends to `open`
/// those that say something else than the first, of the trace that the event stands under: whether what stands says the
/// same, a store can tell that is offered each of them after the first. The batches are of MetadataForm::whole.
void count_sendings(std::span<const Sending> sendings, const StoreOutcome& outcome, std::span<BodyOutcome> bodies,
                    std::vector<Sending>& open);

/// The same for a sending that was offered by itself.
void count_sending(const Sending& sending, const StoreOutcome& outcome, std::span<BodyOutcome> bodies);

/// By id; those of one id stay in their order.
void sort_by_id(std::vector<Sending>& sendings);

}  // namespace raceway::wire
