#include "wire/event_layouts.hpp"

#include <string>
#include <utility>

#include "wire/event_parts.hpp"
#include "wire/fields.hpp"
#include "wire/number.hpp"
#include "wire/sdk_parts.hpp"
#include "wire/text.hpp"

namespace raceway::wire {
namespace {

bool is_there(const JsonMember& member) {
  return member.key.data() != nullptr;
}

/// An id as both ways keep it; false where it is no string of a length that is kept.
bool read_id(JsonReader& reader, Arena& arena, std::string_view& id) {
  if (reader.peek() != '"') return false;
  const auto text = reader.read_string();
  id = normalized_uuid(text, arena);
  return !text.empty() && fits(text, max_id_length);
}

}  // namespace

EventLayouts& EventLayouts::of_this_thread() {
  thread_local EventLayouts layouts;
  return layouts;
}

bool EventLayouts::read(JsonReader& reader, Arena& arena, Event& row) {
  const auto place = reader.tell();
  try {
    if (follow(reader, arena, row)) return true;
  } catch (const EventError&) {
    // The general way finds it too, and what else is wrong before it.
  } catch (const BodyError&) {
  }
  reader.seek(place);
  return false;
}

bool EventLayouts::follow(JsonReader& reader, Arena& arena, Event& row) {
  for (std::size_t slot = 0; slot < first_sent_slot; ++slot) members_[slot].key = {};
  const Node* node = &root_;
  do {
    const auto stands_next = [&reader](const LayoutStep& step) {
      return step.part >= Part::close ? reader.accept('}') : reader.accept_key(step.before, step.key);
    };
    node = node->first;
    while (node != nullptr && !stands_next(node->step)) node = node->other;
    is_unknown_ = node == nullptr;
    if (is_unknown_ || !read_part(node->step, reader, arena, row)) return false;
  } while (node->step.part != Part::end);
  finish(node->layout, arena, row);
  return true;
}

bool EventLayouts::read_part(const LayoutStep& step, JsonReader& reader, Arena& arena, Event& row) {
  switch (step.part) {
    case Part::member:
      members_[step.slot].key = reader.accepted_key(step.key);
      reader.read_value(members_[step.slot].value, step.depth);
      return true;
    case Part::id:
      return read_id(reader, arena, row.event_id);
    case Part::trace_id:
      return read_id(reader, arena, row.trace_id);
    case Part::parent_id: {
      const Json parent = reader.read_value(step.depth);
      if (parent.is(Json::Type::null)) return true;
      members_[parent_id_slot] = {fields::parent_id, Json::of_string(normalized_uuid(parent.text, arena))};
      return parent.is(Json::Type::string);
    }
    case Part::timestamp:
      if (reader.peek() != '"') return false;
      time_ = read_timestamp(reader.read_string());
      row.timestamp = time_.micros;
      return true;
    case Part::clock:
      return read_clock(reader, arena, row);
    case Part::locks: {
      const Json locks = reader.read_value(step.depth);
      if (locks.count > 0) members_[lock_set_slot] = {fields::lock_set, locks};
      return locks.is(Json::Type::array) || locks.is(Json::Type::null);
    }
    case Part::variant:
      row.kind = reader.accepted_key(step.key);
      return true;
    case Part::container:
    case Part::close:
    case Part::end:
      return true;
  }
  return false;
}

bool EventLayouts::read_clock(JsonReader& reader, Arena& arena, Event& row) {
  if (reader.peek() == 'n') return reader.read_value().is(Json::Type::null);
  const auto place = reader.tell();
  if (!read_components(reader)) return false;
  row.has_clock = true;
  if (sort_components(components_)) {
    // The object in the column does not give back what was sent: that is kept beside it.
    reader.seek(place);
    members_[causality_vector_slot] = {fields::causality_vector, reader.read_value(1)};
  }
  row.clock = arena.copy(std::span<const causality::Component>(components_));
  return true;
}

bool EventLayouts::read_components(JsonReader& reader) {
  components_.clear();
  if (!reader.accept('[')) return false;
  if (reader.accept(']')) return true;
  do {
    if (!reader.accept('[') || reader.peek() != '"') return false;
    const auto name = reader.read_string();
    if (!reader.accept(',')) return false;
    const Json counter = reader.read_value(3);
    const auto value = counter.is(Json::Type::number) ? whole_number(counter.text) : std::nullopt;
    if (!value || !reader.accept(']')) return false;
    components_.push_back({name, *value});
  } while (reader.accept(','));
  return reader.accept(']');
}

void EventLayouts::finish(const EventLayout& layout, Arena& arena, Event& row) {
  const auto sent = [this](std::uint8_t slot) { return slot == no_slot ? nullptr : &members_[slot].value; };
  if (time_.nanos != 0) {
    members_[timestamp_nanos_slot] = {fields::timestamp_nanos,
                                      Json::of_number(arena.copy(std::to_string(time_.nanos)))};
  }
  set_duration(row, sent(layout.duration_ms), sent(layout.duration_ns));
  const bool in_column = set_location(row, {sent(layout.location), sent(layout.file), sent(layout.line)}, arena);
  if (in_column) members_[layout.location].key = {};
  if (const Json* service = sent(layout.service_name); service != nullptr && service->is(Json::Type::string)) {
    row.service_name = first_characters(service->text, max_service_name_length);
  }

  // The members that not every event of this layout has, as bits.
  std::uint64_t present = in_column ? 0 : 1;
  for (std::size_t slot = 0; slot < first_sent_slot; ++slot)
    present = present << 1U | (is_there(members_[slot]) ? 1 : 0);
  row.metadata_shape = layout.number << (first_sent_slot + 1U) | present;

  auto* const sorted = arena.allocate<JsonMember>(layout.sorted.size());
  std::uint32_t count = 0;
  for (const std::uint8_t slot : layout.sorted) {
    if (is_there(members_[slot])) sorted[count++] = members_[slot];
  }
  row.metadata.type = Json::Type::object;
  row.metadata.count = count;
  row.metadata.members = sorted;
}

void EventLayouts::learn(JsonReader& reader, std::uint32_t place) {
  if (!is_unknown_) return;
  if (pause_ > 0) {
    --pause_;
    return;
  }
  const auto end = reader.tell();
  reader.seek(place);
  if (auto learned = learn_layout(reader)) {
    insert(std::move(*learned));
    pause_ = has_forgotten_ ? long_pause : 0;
  } else {
    pause_ = long_pause;
  }
  reader.seek(end);
}

void EventLayouts::insert(LearnedLayout&& learned) {
  const auto same = [](const LayoutStep& a, const LayoutStep& b) {
    return a.part == b.part && a.before == b.before && a.key.same_as(b.key);
  };
  if (nodes_.size() + learned.steps.size() > max_steps) forget();
  Node* node = &root_;
  for (const LayoutStep& step : learned.steps) {
    Node* next = node->first;
    while (next != nullptr && !same(next->step, step)) next = next->other;
    if (next == nullptr) {
      if (node->branches == max_branches) return forget();
      next = &nodes_.emplace_back();
      next->step = step;
      next->other = std::exchange(node->first, next);
      ++node->branches;
    }
    node = next;
  }
  node->layout = std::move(learned.layout);
}

void EventLayouts::forget() {
  root_ = {};
  nodes_.clear();
  has_forgotten_ = true;
}

}  // namespace raceway::wire
