// Reasons for a rejection that only a store can give; one wording for every store.
#pragma once

#include <string>
#include <string_view>

namespace raceway::wire {

/// The event's id stands already, under another trace.
inline std::string reason_other_trace(std::string_view trace_id) {
  return "event_id is already stored under trace " + std::string(trace_id);
}

/// Why an event is no duplicate of what stands under its id: the columns in which it differs, noted in the table's
/// order.
class OtherContents {
 public:
  void note(std::string_view column, bool differs) {
    if (!differs) return;
    reason_ += reason_.empty() ? reason_without_names() + ": " : ", ";
    reason_ += column;
  }
  static std::string reason_without_names() { return "event_id is already stored with other contents"; }
  /// Empty where there is no such column.
  const std::string& reason() const { return reason_; }

 private:
  std::string reason_;
};

}  // namespace raceway::wire
