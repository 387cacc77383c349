#include "storage/memory_record_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "storage/memory_record_reader.hpp"
#include "wire/fields.hpp"
#include "wire/number.hpp"

namespace raceway::server::storage::memory {
namespace {

namespace fields = wire::fields;
using wire::Json;

constexpr std::size_t definitions_searched = 16;
constexpr std::size_t kept_capacity = std::size_t{64} << 10U;

bool same_value(const Json& a, const Json& b);

bool same_member(const wire::JsonMember& a, const wire::JsonMember& b) {
  return a.key == b.key && same_value(a.value, b.value);
}

bool same_value(const Json& a, const Json& b) {
  if (a.type != b.type || a.boolean != b.boolean || a.count != b.count || a.text != b.text) return false;
  if (a.is(Json::Type::array)) return std::equal(a.elements, a.elements + a.count, b.elements, same_value);
  if (a.is(Json::Type::object)) return std::equal(a.members, a.members + a.count, b.members, same_member);
  return true;
}

/// The counter of a pair [name, counter] whose number is written as a counter is.
std::optional<std::uint64_t> counter_of_pair(const Json& pair) {
  if (!pair.is(Json::Type::array) || pair.count != 2) return std::nullopt;
  if (!pair.elements[0].is(Json::Type::string) || !pair.elements[1].is(Json::Type::number)) return std::nullopt;
  const auto counter = wire::whole_number(pair.elements[1].text);
  if (!counter) return std::nullopt;
  std::array<char, 20> text{};
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), *counter).ptr;
  const std::string_view written(text.data(), static_cast<std::size_t>(end - text.data()));
  return written == pair.elements[1].text ? counter : std::nullopt;
}

/// Whether `pairs` are the components of the clock, each once, in whatever order.
bool is_permutation(const Json& pairs, std::span<const causality::Component> clock) {
  if (!pairs.is(Json::Type::array) || pairs.count != clock.size()) return false;
  std::vector<bool> found(clock.size());
  for (const Json& pair : pairs.as_array()) {
    const auto counter = counter_of_pair(pair);
    if (!counter) return false;
    const auto before = [](const causality::Component& component, std::string_view name) {
      return causality::compare_names(component.name, name) < 0;
    };
    const auto at = std::lower_bound(clock.begin(), clock.end(), pair.elements[0].text, before);
    if (at == clock.end() || at->name != pair.elements[0].text || at->counter != *counter) return false;
    const auto place = static_cast<std::size_t>(at - clock.begin());
    if (found[place]) return false;
    found[place] = true;
  }
  return true;
}

template <class Definitions, class Matches>
std::optional<std::size_t> find_latest(Definitions& definitions, std::size_t last_used, Matches matches) {
  if (last_used < definitions.size() && matches(definitions[last_used])) return last_used;
  const std::size_t oldest = definitions.size() - std::min(definitions.size(), definitions_searched);
  for (std::size_t at = definitions.size(); at-- > oldest;) {
    if (at != last_used && matches(definitions[at])) return at;
  }
  return std::nullopt;
}

}  // namespace

void RecordWriter::start(Dictionary& dictionary, std::string_view existing) {
  dictionary_ = &dictionary;
  existing_ = existing;
  fresh_.clear();
  contexts_.clear();
  clocks_.clear();
  context_ = clock_ = 0;
  is_first_ = existing.empty();
  previous_time_ = 0;
  RecordHead head;
  for (std::size_t at = 0; at < existing.size(); at = head.next) {
    head = read_head(existing, at);
    restore(head);
  }
  if (is_first_) return;
  restored_id_.clear();
  if ((head.flags & text_id) != 0) {
    restored_id_ = head.id_text;
  } else {
    append_uuid(restored_id_, head.id.data());
  }
  previous_id_ = restored_id_;
}

void RecordWriter::clear() {
  existing_ = {};
  contexts_.clear();
  clocks_.clear();
  for (std::string* buffer : {&fresh_, &body_, &shape_, &values_, &names_key_}) {
    buffer->clear();
    if (buffer->capacity() > kept_capacity) buffer->shrink_to_fit();
  }
}

void RecordWriter::restore(const RecordHead& head) {
  previous_time_ = step_time(previous_time_, head.time_step);
  if (head.defines_context) contexts_.push_back({head.context, std::nullopt});
  if (head.defines_clock) clocks_.push_back({head.clock.record, read_names(head.clock.bytes, *dictionary_)});
  const auto place_of = [](const auto& definitions, std::size_t record, auto record_of) {
    std::size_t at = definitions.size();
    while (record_of(definitions[--at]) != record) continue;
    return at;
  };
  if (!head.context.bytes.empty()) {
    context_ = place_of(contexts_, head.context.record, [](const Context& c) { return c.definition.record; });
  }
  if (!head.clock.bytes.empty()) {
    clock_ = place_of(clocks_, head.clock.record, [](const Clock& c) { return c.record; });
  }
}

void RecordWriter::append(const wire::Event& event, const Id& id) {
  const std::size_t record = existing_.size() + fresh_.size();
  flags_ = 0;
  body_.assign(id.bytes.data(), id.bytes.size());
  if (!id.is_uuid) {
    flags_ |= text_id;
    put_varint(body_, id.text.size());
    body_ += id.text;
  }
  put_varint(body_, time_step(previous_time_, event.timestamp));
  split(event);
  put_context(record);
  put_clock(record, event);
  put_members(event);

  fresh_ += static_cast<char>(flags_);
  put_varint(fresh_, body_.size());
  fresh_ += body_;
  previous_id_ = event.event_id;
  previous_time_ = event.timestamp;
  is_first_ = false;
}

/// Finds what of the metadata is the context, and whether the clock stands in it in the order sent.
void RecordWriter::split(const wire::Event& event) {
  event_context_.count = 0;
  sent_clock_ = nullptr;
  for (const auto& member : event.metadata.as_object()) {
    if (is_context(member.key)) {
      event_context_.members[event_context_.count++] = &member;
    } else if (event.has_clock && member.key == fields::causality_vector && is_permutation(member.value, event.clock)) {
      sent_clock_ = &member.value;
    }
  }
}

bool RecordWriter::same_members(const ContextMembers& a, const ContextMembers& b) {
  if (a.count != b.count) return false;
  for (std::size_t at = 0; at < a.count; ++at) {
    if (!same_member(*a.members[at], *b.members[at])) return false;
  }
  return true;
}

std::string RecordWriter::json_of(const ContextMembers& context) {
  std::string json;
  for (std::size_t at = 0; at < context.count; ++at) {
    wire::append_json_string(json, context.members[at]->key);
    json += ':';
    wire::append_json(json, context.members[at]->value);
    json += ',';
  }
  return json;
}

bool RecordWriter::matches(Context& context) const {
  if (!context.members) {
    if (read_context(context.definition.bytes, *dictionary_) != json_of(event_context_)) return false;
    context.members = event_context_;
    return true;
  }
  return same_members(*context.members, event_context_);
}

void RecordWriter::put_context(std::size_t record) {
  if (event_context_.count == 0) return;
  flags_ |= has_context;
  const auto known = find_latest(contexts_, context_, [this](Context& context) { return matches(context); });
  if (known) {
    if (*known == context_) {
      flags_ |= same_context;
    } else {
      put_varint(body_, contexts_[*known].definition.record + 1);
    }
    context_ = *known;
    return;
  }
  shape_.clear();
  values_.clear();
  ShapeWriter members(*dictionary_, shape_, values_);
  for (std::size_t at = 0; at < event_context_.count; ++at) members.member(*event_context_.members[at]);
  names_key_.clear();
  put_shared(names_key_, shape_, *dictionary_);
  put_varint(body_, 0);
  put_varint(body_, names_key_.size() + values_.size());
  body_ += names_key_;
  body_ += values_;
  context_ = contexts_.size();
  contexts_.push_back({{record, {}}, event_context_});
}

/// Names and counters in the order in which they are kept, and the names as a key.
void RecordWriter::read_clock(const wire::Event& event) {
  names_.clear();
  counters_.clear();
  if (sent_clock_ != nullptr) {
    for (const Json& pair : sent_clock_->as_array()) {
      names_.push_back(pair.elements[0].text);
      counters_.push_back(wire::whole_number(pair.elements[1].text).value_or(0));
    }
  } else {
    for (const auto& component : event.clock) {
      names_.push_back(component.name);
      counters_.push_back(component.counter);
    }
  }
  names_key_.assign(1, sent_clock_ != nullptr ? '\1' : '\0');
  for (const auto name : names_) {
    put_varint(names_key_, name.size());
    names_key_ += name;
  }
}

void RecordWriter::put_clock(std::size_t record, const wire::Event& event) {
  if (!event.has_clock) return;
  flags_ |= has_clock;
  read_clock(event);
  const auto known = find_latest(clocks_, clock_, [this](const Clock& clock) { return clock.names == names_key_; });
  if (known && *known == clock_) {
    flags_ |= same_clock;
  } else if (known) {
    put_varint(body_, clocks_[*known].record + 1);
    clock_ = *known;
  } else {
    values_.clear();
    put_varint(values_, names_.size() << 1U | (sent_clock_ != nullptr ? names_as_sent : 0));
    for (const auto name : names_) put_text(values_, name, *dictionary_);
    put_varint(body_, 0);
    put_varint(body_, values_.size());
    body_ += values_;
    clock_ = clocks_.size();
    clocks_.push_back({record, names_key_});
  }
  for (const auto counter : counters_) put_varint(body_, counter);
}

void RecordWriter::put_members(const wire::Event& event) {
  shape_.clear();
  values_.clear();
  put_varint(shape_, event.kind.size());
  shape_ += event.kind;
  ShapeWriter members(*dictionary_, shape_, values_);
  for (const auto& member : event.metadata.as_object()) {
    if (is_context(member.key)) continue;
    if (&member.value == sent_clock_) {
      members.member(member.key, Mark::clock_as_sent);
    } else if (!is_first_ && member.key == fields::parent_id && member.value.is(Json::Type::string) &&
               member.value.text == previous_id_) {
      members.member(member.key, Mark::previous_id);
    } else {
      members.member(member);
    }
  }
  put_shared(body_, shape_, *dictionary_);
  if (event.location) {
    flags_ |= has_location;
    put_text(body_, *event.location, *dictionary_);
  }
  if (event.duration_ms) {
    flags_ |= has_duration;
    std::array<char, sizeof(float)> bytes{};
    std::memcpy(bytes.data(), &*event.duration_ms, bytes.size());
    body_.append(bytes.data(), bytes.size());
  }
  body_ += values_;
}

}  // namespace raceway::server::storage::memory
