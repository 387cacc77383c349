#include "wire/event_layout.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>
#include <utility>

#include "causality/clock.hpp"
#include "wire/fields.hpp"

namespace raceway::wire {
namespace {

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::optional<Part> part_of(std::string_view key) {
  constexpr std::array<std::pair<std::string_view, Part>, 8> known = {{{fields::id, Part::id},
                                                                       {fields::trace_id, Part::trace_id},
                                                                       {fields::parent_id, Part::parent_id},
                                                                       {fields::timestamp, Part::timestamp},
                                                                       {fields::kind, Part::container},
                                                                       {fields::metadata, Part::container},
                                                                       {fields::causality_vector, Part::clock},
                                                                       {fields::lock_set, Part::locks}}};
  const auto* const found = std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.first == key; });
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

/// Walks over an event and writes down its steps. Every function answers whether the event can still be learned.
class Learner {
 public:
  explicit Learner(JsonReader& reader) : reader_(reader) {
    keys_ = {fields::parent_id, fields::lock_set, fields::causality_vector, fields::timestamp_nanos};
  }

  std::optional<LearnedLayout> learn() {
    const bool usual = each_member(0, Part::end, [this](LayoutStep& step, std::string_view key) {
      const auto part = part_of(key);
      if (!part || std::find(event_keys_.begin(), event_keys_.end(), key) != event_keys_.end()) return false;
      event_keys_.push_back(key);
      step.part = *part;
      add_step(step);
      if (key == fields::kind) return learn_kind();
      if (key == fields::metadata) return learn_metadata();
      reader_.skip_value();
      return true;
    });
    if (!usual) return std::nullopt;
    sort_slots();
    learned_.layout.number = next_number();
    return std::move(learned_);
  }

 private:
  /// Visits the members of the object that stands next; `at_end` is the part its end stands for.
  template <class Visit>
  bool each_member(std::uint8_t depth, Part at_end, Visit visit) {
    if (!reader_.accept('{') || reader_.peek() == '}') return false;
    char before = '{';
    do {
      const auto key = reader_.read_key();
      const auto quoted = QuotedKey::of(key);
      if (!quoted) return false;
      LayoutStep step;
      step.before = before;
      step.depth = static_cast<std::uint8_t>(depth + 1);
      step.key = *quoted;
      if (!visit(step, key)) return false;
      before = ',';
    } while (reader_.accept(','));
    reader_.expect('}', "',' or '}' is expected");
    LayoutStep end;
    end.part = at_end;
    add_step(end);
    return true;
  }

  void add_step(const LayoutStep& step) { learned_.steps.push_back(step); }

  bool learn_kind() {
    bool first = true;
    return each_member(1, Part::close, [&](LayoutStep& step, std::string_view) {
      step.part = Part::variant;
      add_step(step);
      return std::exchange(first, false) && learn_variant();
    });
  }

  bool learn_variant() {
    return each_member(2, Part::close, [this](LayoutStep& step, std::string_view key) {
      auto& layout = learned_.layout;
      if (key == fields::location) layout.location = next_slot();
      if (key == fields::file) layout.file = next_slot();
      if (key == fields::line) layout.line = next_slot();
      if (key == fields::duration_ms) layout.duration_ms = next_slot();
      return !fields::is_taken(key) && add_member(step, key);
    });
  }

  bool learn_metadata() {
    return each_member(1, Part::close, [this](LayoutStep& step, std::string_view key) {
      auto& layout = learned_.layout;
      if (key == fields::duration_ns) layout.duration_ns = next_slot();
      if (key == fields::service_name) layout.service_name = next_slot();
      return fields::is_sdk_metadata(key) && add_member(step, key);
    });
  }

  std::uint8_t next_slot() const { return static_cast<std::uint8_t>(keys_.size()); }

  bool add_member(LayoutStep& step, std::string_view key) {
    if (keys_.size() == slot_count || std::find(keys_.begin(), keys_.end(), key) != keys_.end()) return false;
    step.part = Part::member;
    step.slot = next_slot();
    keys_.push_back(key);
    add_step(step);
    reader_.skip_value();
    return true;
  }

  void sort_slots() {
    auto& sorted = learned_.layout.sorted;
    for (std::uint8_t slot = 0; slot < next_slot(); ++slot) sorted.push_back(slot);
    std::sort(sorted.begin(), sorted.end(),
              [this](std::uint8_t a, std::uint8_t b) { return causality::compare_names(keys_[a], keys_[b]) < 0; });
  }

  JsonReader& reader_;
  LearnedLayout learned_;
  std::vector<std::string_view> event_keys_;  // of the event itself
  std::vector<std::string_view> keys_;        // of the row's metadata, by slot
};

}  // namespace

std::optional<LearnedLayout> learn_layout(JsonReader& reader) {
  return Learner(reader).learn();
}

}  // namespace raceway::wire
