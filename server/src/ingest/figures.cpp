#include "ingest/figures.hpp"

namespace raceway::server::ingest {
namespace {

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

RejectClass reject_class(std::string_view reason) {
  if (reason.starts_with("event_id is already stored under trace")) return RejectClass::other_trace;
  if (reason.starts_with("its trace has reached")) return RejectClass::trace_too_large;
  if (reason.ends_with(" is missing") || reason.ends_with(" is empty") || holds(reason, "neither id nor event_id"))
    return RejectClass::missing_field;
  if (reason.starts_with("timestamp")) return RejectClass::bad_timestamp;
  if (reason.starts_with("vector_clock") || reason.starts_with("causality_vector")) return RejectClass::bad_clock;
  if (reason.starts_with("a string holds")) return RejectClass::bad_text;
  if (holds(reason, " characters")) return RejectClass::too_long;
  return RejectClass::other;
}

void RejectedLately::add(RejectClass reason, std::uint64_t count) {
  const auto now = std::chrono::system_clock::now();
  const std::scoped_lock lock(mutex_);
  for (Rejected& each : rejected_) {
    if (now - each.time > std::chrono::seconds(1)) break;
    if (each.reason != reason) continue;
    each.count += count;
    return;
  }
  rejected_.push_front({now, reason, count});
  if (rejected_.size() > most) rejected_.pop_back();
}

std::vector<RejectedLately::Rejected> RejectedLately::last() const {
  const std::scoped_lock lock(mutex_);
  return {rejected_.begin(), rejected_.end()};
}

void Figures::add(const storage::IngestResult& result) noexcept {
  stored.fetch_add(result.stored, std::memory_order_relaxed);
  if (result.duplicates > 0) duplicates.fetch_add(result.duplicates, std::memory_order_relaxed);
  const auto count_rejected = [this](RejectClass as, std::uint64_t events) {
    rejected[static_cast<std::size_t>(as)].fetch_add(events, std::memory_order_relaxed);
    rejected_lately.add(as, events);
  };
  for (const auto& rejection : result.rejected.told()) count_rejected(reject_class(rejection.reason), 1);
  if (result.rejected.untold() > 0) count_rejected(RejectClass::other, result.rejected.untold());
}

}  // namespace raceway::server::ingest
