#include "wire/event_layout.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <string_view>
#include <utility>

#include "causality/clock.hpp"

namespace raceway::wire {
namespace {

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// What stands under a key of the event; `end` for `kind`, which is looked into.
std::optional<Part> part_of(std::string_view key) {
  constexpr std::array<std::pair<std::string_view, Part>, 8> known = {{{fields::id, Part::id},
                                                                       {fields::trace_id, Part::trace_id},
                                                                       {fields::parent_id, Part::parent_id},
                                                                       {fields::timestamp, Part::timestamp},
                                                                       {fields::kind, Part::end},
                                                                       {fields::metadata, Part::metadata},
                                                                       {fields::causality_vector, Part::clock},
                                                                       {fields::lock_set, Part::locks}}};
  const auto* const found = std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.first == key; });
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

/// A key and where it stands in the body.
struct Key {
  std::string_view text;
  std::size_t place = 0;
};

/// Walks over an event and writes down its steps. Every function answers whether the event can still be learned.
class Learner {
 public:
  explicit Learner(JsonReader& reader) : reader_(reader), text_from_(reader.place()) {
    variant_keys_.reserve(slot_count);
  }

  std::optional<LearnedLayout> learn() {
    const bool usual = each_member([this](const Key& key) {
      const auto part = part_of(key.text);
      if (!part || std::find(event_keys_.begin(), event_keys_.end(), key.text) != event_keys_.end()) return false;
      event_keys_.push_back(key.text);
      if (key.text == fields::kind) return learn_kind();
      if (*part == Part::metadata) return learn_metadata();
      LayoutStep step;
      step.part = *part;
      step.depth = 1;
      return add_value(learned_.steps, step);
    });
    if (!usual || !add_end(learned_.steps)) return std::nullopt;
    sort_slots();
    learned_.layout.number = next_number();
    return std::move(learned_);
  }

 private:
  /// Visits the members of the object that stands next, each with the reader in front of its value.
  template <class Visit>
  bool each_member(Visit visit) {
    if (!reader_.accept('{') || reader_.peek() == '}') return false;
    do {
      const std::size_t place = reader_.place() + 1;
      const Key key = {reader_.read_key(), place};
      // Where it stands with escapes, it does not stand there as it is.
      const auto in_body = reader_.text().substr(place, key.text.size() + 1);
      const bool is_plain = in_body.ends_with('"') && in_body.substr(0, key.text.size()) == key.text;
      if (!is_plain || !visit(key)) return false;
    } while (reader_.accept(','));
    reader_.expect('}', "',' or '}' is expected");
    return true;
  }

  /// The text since the last value, up to `end`.
  bool take_text(LayoutStep& step, std::size_t end) {
    const auto text = reader_.text().substr(text_from_, end - text_from_);
    if (text.size() > FixedText::max_size) return false;
    step.text = FixedText(text);
    if (kind_.text.data() != nullptr) step.kind = part_of_text(std::exchange(kind_, {}));
    return true;
  }

  PartOfText part_of_text(const Key& key) const {
    return {static_cast<std::uint8_t>(key.place - text_from_), static_cast<std::uint8_t>(key.text.size())};
  }

  /// A step to the value that stands next, and over it.
  bool add_value(std::vector<LayoutStep>& steps, LayoutStep& step) {
    if (!take_text(step, reader_.place())) return false;
    steps.push_back(step);
    reader_.skip_value();
    text_from_ = reader_.end_of_token_before();
    return true;
  }

  /// A step to the end of the object that was just left.
  bool add_end(std::vector<LayoutStep>& steps) {
    LayoutStep step;
    const std::size_t end = reader_.end_of_token_before();
    if (!take_text(step, end)) return false;
    steps.push_back(step);
    text_from_ = end;
    return true;
  }

  bool add_member(std::vector<LayoutStep>& steps, const Key& key, std::uint8_t slot, std::uint8_t depth) {
    LayoutStep step;
    step.part = Part::member;
    step.slot = slot;
    step.depth = depth;
    if (key.place - text_from_ + key.text.size() > FixedText::max_size) return false;
    step.key = part_of_text(key);
    return add_value(steps, step);
  }

  bool learn_kind() {
    bool first = true;
    return each_member([&](const Key& key) {
      kind_ = key;
      if (key.place - text_from_ + key.text.size() > FixedText::max_size) return false;
      return std::exchange(first, false) && learn_variant();
    });
  }

  bool learn_variant() {
    return each_member([this](const Key& key) {
      const auto slot = static_cast<std::uint8_t>(first_variant_slot + variant_keys_.size());
      const bool stands_twice = std::find(variant_keys_.begin(), variant_keys_.end(), key.text) != variant_keys_.end();
      if (slot == slot_count || stands_twice || fields::is_taken(key.text)) return false;
      variant_keys_.push_back(key.text);
      auto& layout = learned_.layout;
      if (key.text == fields::location) layout.location = slot;
      if (key.text == fields::file) layout.file = slot;
      if (key.text == fields::line) layout.line = slot;
      if (key.text == fields::duration_ms) layout.duration_ms = slot;
      return add_member(learned_.steps, key, slot, 3);
    });
  }

  bool learn_metadata() {
    LayoutStep step;
    step.part = Part::metadata;
    if (!take_text(step, reader_.place())) return false;
    learned_.steps.push_back(step);
    text_from_ = reader_.place();
    Slots known = 0;
    const bool usual = each_member([&](const Key& key) {
      if (!fields::is_sdk_metadata(key.text)) return false;
      const std::uint8_t slot = metadata_slot(key.text);
      const bool stands_twice = (known & bit_of(slot)) != 0;
      known |= bit_of(slot);
      return !stands_twice && add_member(learned_.metadata_steps, key, slot, 2);
    });
    return usual && add_end(learned_.metadata_steps);
  }

  std::string_view key_of(std::uint8_t slot) const {
    constexpr std::array first = {fields::parent_id, fields::lock_set, fields::causality_vector,
                                  fields::timestamp_nanos};
    static_assert(first.size() == first_metadata_slot);
    if (slot < first_metadata_slot) return first[slot];
    if (slot < first_variant_slot) return fields::sdk_metadata[slot - first_metadata_slot];
    return variant_keys_[slot - first_variant_slot];
  }

  void sort_slots() {
    auto& sorted = learned_.layout.sorted;
    const auto count = static_cast<std::uint8_t>(first_variant_slot + variant_keys_.size());
    for (std::uint8_t slot = 0; slot < count; ++slot) sorted.push_back(slot);
    std::sort(sorted.begin(), sorted.end(),
              [this](std::uint8_t a, std::uint8_t b) { return causality::compare_names(key_of(a), key_of(b)) < 0; });
  }

  JsonReader& reader_;
  LearnedLayout learned_;
  std::size_t text_from_;                       // the end of the last value
  Key kind_;                                    // until the step that its name stands in
  std::vector<std::string_view> event_keys_;    // of the event itself
  std::vector<std::string_view> variant_keys_;  // by slot
};

}  // namespace

std::optional<LearnedLayout> learn_layout(JsonReader& reader) {
  return Learner(reader).learn();
}

}  // namespace raceway::wire
