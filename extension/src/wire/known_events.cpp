#include "wire/known_events.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <utility>

#include "wire/bytes.hpp"
#include "wire/errors.hpp"
#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/sdk_parts.hpp"
#include "wire/text.hpp"
#include "wire/uuid.hpp"

namespace raceway::wire {
namespace {

std::string_view part(const char* text, PartOfText part) {
  return {text + part.begin, part.size};
}

}  // namespace

std::optional<std::size_t> KnownEvents::read(std::size_t place, Event& row) {
  scan_.move_to(place);
  is_unknown_ = false;
  try {
    if (follow(row)) return scan_.place();
  } catch (const EventError&) {
    // The general way finds it too, and what else is wrong before it.
  }
  return std::nullopt;
}

void KnownEvents::learn(JsonReader& reader) {
  if (is_unknown_) layouts_.learn(reader);
}

bool KnownEvents::follow(Event& row) {
  filled_ = 0;
  const LayoutNode* node = &layouts_.events();
  for (;;) {
    const char* const text = scan_.here();
    LayoutNode* const next = node->next(text, scan_.left());
    is_unknown_ = next == nullptr;
    if (is_unknown_) return false;
    const LayoutStep& step = next->step;
    scan_.skip(step.text.size());
    if (step.kind.size != 0) row.kind = part(text, step.kind);
    if (step.part == Part::end) {
      finish(next->layout, row);
      return true;
    }
    if (!read_part(step, text, row)) return false;
    node = next;
  }
}

bool KnownEvents::read_part(const LayoutStep& step, const char* text, Event& row) {
  switch (step.part) {
    case Part::member:
      return read_member(step, text);
    case Part::metadata:
      return read_metadata(row);
    case Part::id:
      if (!read_id(event_id_)) return false;
      row.event_id = event_id_.value;
      return true;
    case Part::trace_id:
      if (!accept(trace_id_.text) && !read_id(trace_id_)) return false;
      row.trace_id = trace_id_.value;
      return true;
    case Part::parent_id:
      return read_parent_id();
    case Part::timestamp:
      return read_time(row);
    case Part::clock:
      return read_clock(row);
    case Part::locks:
      return read_locks();
    case Part::end:
      return true;
  }
  return false;
}

bool KnownEvents::accept(std::string_view text) {
  const bool is_next =
      !text.empty() && text.size() <= scan_.left() && equal_bytes(scan_.here(), text.data(), text.size());
  if (is_next) scan_.skip(text.size());
  return is_next;
}

std::string_view KnownEvents::since(const char* begin) const {
  return {begin, static_cast<std::size_t>(scan_.here() - begin)};
}

void KnownEvents::fill(std::uint8_t slot, std::string_view key, const Json& value) {
  members_[slot] = {key, value};
  filled_ |= bit_of(slot);
}

/// An id as both ways keep it; declined where it is no string of a length that is kept.
bool KnownEvents::read_id(Seen& seen) {
  seen.text = {};
  if (scan_.peek() != '"') return false;
  const char* const begin = scan_.here();
  std::string_view id;
  if (!scan_.read_string(id) || id.empty() || !fits(id, max_id_length)) return false;
  seen = {since(begin), normalized_uuid(id, arena_)};
  return true;
}

bool KnownEvents::read_parent_id() {
  // Mostly the event before.
  if (accept(last_id_.text)) {
    fill(parent_id_slot, fields::parent_id, Json::of_string(last_id_.value));
    return true;
  }
  if (scan_.peek() != '"') {
    Json null;
    return scan_.read_value(null, 1) && null.is(Json::Type::null);
  }
  std::string_view id;
  if (!scan_.read_string(id)) return false;
  fill(parent_id_slot, fields::parent_id, Json::of_string(normalized_uuid(id, arena_)));
  return true;
}

bool KnownEvents::read_time(Event& row) {
  std::string_view text;
  if (scan_.peek() != '"' || !scan_.read_string(text)) return false;
  time_ = times_.read(text);
  row.timestamp = time_.micros;
  return true;
}

bool KnownEvents::read_member(const LayoutStep& step, const char* text) {
  members_[step.slot].key = part(text, step.key);
  filled_ |= bit_of(step.slot);
  return scan_.read_value(members_[step.slot].value, step.depth);
}

bool KnownEvents::read_metadata(Event& row) {
  if (!accept(metadata_)) {
    const char* const begin = scan_.here();
    metadata_ = {};
    if (!follow_metadata()) return false;
    metadata_ = since(begin);
    ++metadata_number_;
  }
  filled_ |= in_metadata_;
  row.sdk_metadata = metadata_number_;
  return true;
}

bool KnownEvents::follow_metadata() {
  in_metadata_ = 0;
  const LayoutNode* node = &layouts_.metadata();
  for (;;) {
    const char* const text = scan_.here();
    node = node->next(text, scan_.left());
    is_unknown_ = node == nullptr;
    if (is_unknown_) return false;
    scan_.skip(node->step.text.size());
    if (node->step.part == Part::end) return true;
    if (!read_metadata_member(node->step, text)) return false;
    in_metadata_ |= bit_of(node->step.slot);
  }
}

bool KnownEvents::read_metadata_member(const LayoutStep& step, const char* text) {
  std::string_view& seen = member_texts_[step.slot];
  if (accept(seen)) {
    scan_.skip_back();
    return true;
  }
  const char* const begin = scan_.here();
  seen = {};
  members_[step.slot].key = part(text, step.key);
  if (!scan_.read_value(members_[step.slot].value, step.depth) || scan_.left() == 0) return false;
  seen = {begin, since(begin).size() + 1};
  return true;
}

bool KnownEvents::read_clock(Event& row) {
  if (scan_.peek() != '[') {
    Json null;
    return scan_.read_value(null, 1) && null.is(Json::Type::null);
  }
  const std::size_t place = scan_.place();
  if (!read_components()) return false;
  row.has_clock = true;
  if (sort_components(components_)) {
    // The object in the column does not give back what was sent: that is kept beside it.
    scan_.move_to(place);
    Json sent;
    if (!scan_.read_value(sent, 1)) return false;
    fill(causality_vector_slot, fields::causality_vector, sent);
  }
  row.clock = arena_.copy(std::span<const causality::Component>(components_));
  return true;
}

bool KnownEvents::read_components() {
  components_.clear();
  scan_.skip(1);
  if (scan_.accept(']')) return true;
  do {
    if (!scan_.accept('[')) return false;
    scan_.skip_space();
    if (!read_component_name(components_.size()) || !scan_.accept(',')) return false;
    scan_.skip_space();
    if (!scan_.read_whole(components_.back().counter) || !scan_.accept(']')) return false;
  } while (scan_.accept(','));
  return scan_.accept(']');
}

/// Begins the component `at` with its name, which mostly is that of the event before.
bool KnownEvents::read_component_name(std::size_t at) {
  Seen name;
  Seen& seen = at < component_names_.size() ? component_names_[at] : name;
  if (!accept(seen.text)) {
    const char* const begin = scan_.here();
    seen.text = {};
    if (scan_.peek() != '"' || !scan_.read_string(seen.value)) return false;
    seen.text = since(begin);
  }
  components_.push_back({seen.value, 0});
  return true;
}

bool KnownEvents::read_locks() {
  Json locks;
  if (!scan_.read_value(locks, 1)) return false;
  if (locks.count > 0) fill(lock_set_slot, fields::lock_set, locks);
  return locks.is(Json::Type::array) || locks.is(Json::Type::null);
}

void KnownEvents::finish(EventLayout& layout, Event& row) {
  const auto sent = [this](std::uint8_t slot) {
    return slot != no_slot && (filled_ & bit_of(slot)) != 0 ? &members_[slot].value : nullptr;
  };
  if (time_.nanos != 0) {
    fill(timestamp_nanos_slot, fields::timestamp_nanos, Json::of_number(arena_.copy(std::to_string(time_.nanos))));
  }
  set_duration(row, sent(layout.duration_ms), sent(duration_ns_slot));
  const bool in_column = set_location(row, {sent(layout.location), sent(layout.file), sent(layout.line)}, arena_);
  if (in_column) filled_ &= ~bit_of(layout.location);
  if (const Json* service = sent(service_name_slot); service != nullptr && service->is(Json::Type::string)) {
    row.service_name = first_characters(service->text, max_service_name_length);
  }
  // Which of the members are there that not every event of this layout has.
  const Slots sometimes = filled_ & (bit_of(first_variant_slot) - 1);
  row.metadata_shape = (layout.number << first_variant_slot | sometimes) << 1U | (in_column ? 0 : 1);
  put_members(layout, row);
  last_id_ = event_id_;
}

void KnownEvents::put_members(EventLayout& layout, Event& row) {
  if (layout.filled != filled_) {
    layout.filled = filled_;
    layout.order.clear();
    std::copy_if(layout.sorted.begin(), layout.sorted.end(), std::back_inserter(layout.order),
                 [this](std::uint8_t slot) { return (filled_ & bit_of(slot)) != 0; });
  }
  auto* const sorted = arena_.allocate<JsonMember>(layout.order.size());
  std::size_t count = 0;
  for (const std::uint8_t slot : layout.order) sorted[count++] = members_[slot];
  row.metadata.type = Json::Type::object;
  row.metadata.count = static_cast<std::uint32_t>(count);
  row.metadata.members = sorted;
}

}  // namespace raceway::wire
