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

/// In jsonb's order of their keys.
constexpr auto sorted_context_slots = [] {
  auto keys = fields::context;
  std::sort(keys.begin(), keys.end(),
            [](std::string_view a, std::string_view b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
  std::array<std::uint8_t, keys.size()> slots{};
  std::transform(keys.begin(), keys.end(), slots.begin(), metadata_slot);
  return slots;
}();

std::string_view part(const char* text, PartOfText part) {
  return {text + part.begin, part.size};
}

}  // namespace

std::optional<std::size_t> KnownEvents::read(std::size_t place, std::size_t window, Event& row) {
  scan_.move_to(place, window);
  is_unknown_ = false;
  const Arena::Mark before = arena_.mark();
  try {
    if (follow(row)) return scan_.place();
  } catch (const EventError&) {
    // The general way finds it too, and what else is wrong before it.
  } catch (const OverAllowance&) {
    // The general way needs less.
  }
  if (arena_.has_grown_since(before)) {
    forget_events_before();
    arena_.release(before);
  }
  return std::nullopt;
}

void KnownEvents::forget_events_before() {
  event_id_ = last_id_ = trace_id_ = {};
  metadata_ = {};
  in_metadata_ = 0;
  member_texts_ = {};
  changed_ = context_slots;
  component_names_ = {};
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
    if (step.part == Part::member) {
      if (!read_member(step, text)) return false;
    } else if (!read_part(step, row)) {
      return false;
    }
    node = next;
  }
}

bool KnownEvents::read_part(const LayoutStep& step, Event& row) {
  switch (step.part) {
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
    case Part::member:
    case Part::end:
      break;
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
  constexpr std::size_t uuid_size = 36;
  seen.text = {};
  if (scan_.left() > uuid_size + 1 && scan_.here()[uuid_size + 1] == '"') {
    const std::string_view text(scan_.here(), uuid_size + 2);
    const auto uuid = text.substr(1, uuid_size);
    if (text.front() == '"' && is_canonical_uuid(uuid)) {
      seen = {text, uuid};
      scan_.skip(text.size());
      return true;
    }
  }
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
  Json id;
  if (!scan_.read_value(id, 1)) return false;
  if (id.is(Json::Type::null)) return true;
  if (!id.is(Json::Type::string)) return false;
  fill(parent_id_slot, fields::parent_id, Json::of_string(normalized_uuid(id.text(), arena_)));
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
  members_[step.slot].set_key(part(text, step.key));
  filled_ |= bit_of(step.slot);
  return scan_.read_value(members_[step.slot].value, step.depth);
}

bool KnownEvents::read_metadata(Event& row) {
  if (!accept(metadata_)) {
    const char* const begin = scan_.here();
    metadata_ = {};
    if (!follow_metadata()) return false;
    metadata_ = since(begin);
    const bool is_same = ((changed_ & context_slots) | ((in_metadata_ ^ in_context_) & context_slots)) == 0;
    if (!is_same) take_context();
  }
  filled_ |= in_metadata_;
  row.context_number = context_number_;
  row.context = context_;
  row.context_keys = apart_ != 0 ? static_cast<std::uint32_t>(in_context_) : 0;
  return true;
}

void KnownEvents::take_context() {
  ++context_number_;
  in_context_ = in_metadata_ & context_slots;
  changed_ = 0;
  if (apart_ == 0) return;
  auto* const members = arena_.allocate<JsonMember>(fields::context.size());
  std::size_t count = 0;
  for (const std::uint8_t slot : sorted_context_slots) {
    if ((in_context_ & bit_of(slot)) != 0) members[count++] = members_[slot];
  }
  context_ = {members, count};
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
  changed_ |= bit_of(step.slot);
  members_[step.slot].set_key(part(text, step.key));
  if (!scan_.read_value(members_[step.slot].value, step.depth) || scan_.left() == 0) return false;
  seen = {begin, since(begin).size() + 1};
  return true;
}

bool KnownEvents::read_clock(Event& row) {
  if (scan_.peek() != '[') {
    Json null;
    return scan_.read_value(null, 1) && null.is(Json::Type::null);
  }
  if (!read_components()) return false;
  row.has_clock = true;
  if (!is_sorted_clock(components_)) {
    // The object in the column does not give back what was sent: that is kept beside it.
    fill(causality_vector_slot, fields::causality_vector, clock_as_sent());
    components_.resize(sort_components(components_, arena_.allowance()));
  }
  row.clock = arena_.copy(std::span<const causality::Component>(components_));
  return true;
}

Json KnownEvents::clock_as_sent() {
  auto* const pairs = arena_.allocate<Json>(components_.size());
  auto* part = arena_.allocate<Json>(components_.size() * 2);
  for (std::size_t at = 0; at < components_.size(); ++at, part += 2) {
    part[0] = Json::of_string(components_[at].name);
    part[1] = Json::of_number(counters_[at]);
    pairs[at] = Json::of_array(std::span<const Json>(part, 2));
  }
  return Json::of_array(std::span<const Json>(pairs, components_.size()));
}

bool KnownEvents::read_components() {
  components_.clear();
  counters_.clear();
  if (components_.capacity() == 0) {
    components_.reserve(usual_components);
    counters_.reserve(usual_components);
  }
  scan_.skip(1);
  if (scan_.accept(']')) return true;
  do {
    if (!scan_.accept('[')) return false;
    scan_.skip_space();
    if (components_.size() == most_components || !read_component_name(components_.size()) || !scan_.accept(',')) {
      return false;
    }
    scan_.skip_space();
    if (!scan_.read_whole(components_.back().counter, counters_.emplace_back()) || !scan_.accept(']')) return false;
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
  if (locks.count() > 0) fill(lock_set_slot, fields::lock_set, locks);
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
  if (in_column && layout.location != no_slot) filled_ &= ~bit_of(layout.location);
  if (const Json* service = sent(service_name_slot); service != nullptr && service->is(Json::Type::string)) {
    row.service_name = first_characters(service->text(), max_service_name_length);
  }
  // Which of the members are there that not every event of this layout has.
  const Slots put = filled_ & ~apart_;
  const Slots sometimes = put & (bit_of(first_variant_slot) - 1);
  row.metadata_shape = (layout.number << first_variant_slot | sometimes) << 1U | (in_column ? 0 : 1);
  put_members(layout, put, row);
  last_id_ = event_id_;
}

void KnownEvents::put_members(EventLayout& layout, Slots put, Event& row) {
  if (layout.put != put) {
    layout.put = put;
    layout.order.clear();
    std::copy_if(layout.sorted.begin(), layout.sorted.end(), std::back_inserter(layout.order),
                 [put](std::uint8_t slot) { return (put & bit_of(slot)) != 0; });
  }
  auto* const sorted = arena_.allocate<JsonMember>(layout.order.size());
  std::size_t count = 0;
  for (const std::uint8_t slot : layout.order) sorted[count++] = members_[slot];
  row.metadata = Json::of_object({sorted, count});
}

}  // namespace raceway::wire
