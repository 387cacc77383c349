#include "storage/memory_record_writer.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "storage/memory_record_reader.hpp"
#include "wire/number.hpp"

namespace raceway::server::storage::memory {
namespace {

using wire::Json;

constexpr std::size_t definitions_searched = 16;

bool same_value(const Json& a, const Json& b);

bool same_member(const wire::JsonMember& a, const wire::JsonMember& b) {
  return same_bytes(a.key, b.key) && same_value(a.value, b.value);
}

bool same_value(const Json& a, const Json& b) {
  if (a.type != b.type || a.boolean != b.boolean || a.count != b.count || !same_bytes(a.text, b.text)) return false;
  if (a.is(Json::Type::array)) return std::equal(a.elements, a.elements + a.count, b.elements, same_value);
  if (a.is(Json::Type::object)) return std::equal(a.members, a.members + a.count, b.members, same_member);
  return true;
}

/// The counter of a pair [name, counter] whose number is written as a counter is.
std::optional<std::uint64_t> counter_of_pair(const Json& pair) {
  if (!pair.is(Json::Type::array) || pair.count != 2) return std::nullopt;
  if (!pair.elements[0].is(Json::Type::string) || !pair.elements[1].is(Json::Type::number)) return std::nullopt;
  const std::string_view text = pair.elements[1].text;
  std::uint64_t counter = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), counter);
  const bool padded = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || end != text.data() + text.size() || padded) return std::nullopt;
  return counter;
}

/// Whether `pairs` are the components of the clock, each once, in whatever order. Of many it is not asked.
bool is_permutation(const Json& pairs, std::span<const causality::Component> clock) {
  constexpr std::size_t many = 64;
  if (!pairs.is(Json::Type::array) || pairs.count != clock.size() || clock.size() > many) return false;
  std::uint64_t found = 0;
  for (const Json& pair : pairs.as_array()) {
    const auto counter = counter_of_pair(pair);
    if (!counter) return false;
    const causality::Component wanted{pair.elements[0].text, *counter};
    const auto at = std::find(clock.begin(), clock.end(), wanted);
    if (at == clock.end()) return false;
    found |= std::uint64_t{1} << static_cast<unsigned>(at - clock.begin());
  }
  return static_cast<std::size_t>(std::popcount(found)) == clock.size();
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
  vocabulary_.use(dictionary);
  existing_ = existing;
  fresh_.clear();
  contexts_.clear();
  clocks_.clear();
  context_ = clock_ = 0;
  previous_id_ = {};
  previous_time_ = 0;
  RecordHead head;
  for (std::size_t at = 0; at < existing.size(); at = head.next) {
    head = read_head(existing, at);
    restore(head);
  }
  if (existing.empty()) return;
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
  for (ByteBuffer* buffer : {&fresh_, &body_, &marks_, &shape_, &values_, &names_key_}) {
    buffer->clear();
    if (buffer->is_large()) *buffer = ByteBuffer();
  }
}

void RecordWriter::restore(const RecordHead& head) {
  previous_time_ = step_time(previous_time_, head.time_step);
  if (head.defines_context) contexts_.push_back({head.context, std::nullopt});
  if (head.defines_clock)
    clocks_.push_back({head.clock.record, read_names(head.clock.bytes, vocabulary_.dictionary())});
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
  body_.clear();
  body_.put(view(id.bytes));
  if (!id.is_uuid) {
    flags_ |= text_id;
    body_.put_counted(id.text);
  }
  body_.put_varint(time_step(previous_time_, event.timestamp));
  look_at(event);
  put_context(record);
  put_clock(record, event);
  put_shape(event);
  put_rest(event);

  fresh_.put(static_cast<char>(flags_));
  fresh_.put_counted(body_.view());
  previous_id_ = event.event_id;
  previous_time_ = event.timestamp;
}

/// Finds what of the metadata is the context, and whether the clock stands in it in the order sent.
void RecordWriter::look_at(const wire::Event& event) {
  plan_ = &plans_.plan_for(event);
  event_context_.shape = plan_->shape;
  event_context_.count = plan_->context_count;
  for (std::size_t at = 0; at < plan_->context_count; ++at) {
    event_context_.members[at] = &event.metadata.members[plan_->context[at]];
  }
  sent_clock_ = nullptr;
  if (plan_->causality_vector == MetadataPlan::no_member || !event.has_clock) return;
  const Json& sent = event.metadata.members[plan_->causality_vector].value;
  if (is_permutation(sent, event.clock)) sent_clock_ = &sent;
}

bool RecordWriter::same_members(const ContextMembers& a, const ContextMembers& b) {
  if (a.count != b.count) return false;
  const bool same_keys = a.shape != 0 && a.shape == b.shape;
  // From the end: what tells requests apart (their spans) has the longest names.
  for (std::size_t at = a.count; at-- > 0;) {
    if (!same_keys && a.members[at]->key != b.members[at]->key) return false;
    const Json& in_a = a.members[at]->value;
    const Json& in_b = b.members[at]->value;
    const bool both_text = in_a.is(Json::Type::string) && in_b.is(Json::Type::string);
    if (!(both_text ? same_bytes(in_a.text, in_b.text) : same_value(in_a, in_b))) return false;
  }
  return true;
}

bool RecordWriter::matches(Context& context) const {
  if (context.members) return same_members(*context.members, event_context_);
  ShapeReader reader = read_context(context.definition.bytes, vocabulary_.dictionary());
  for (std::size_t at = 0; at < event_context_.count; ++at) {
    const wire::JsonMember& member = *event_context_.members[at];
    if (reader.done() || reader.next_key() != member.key || !reader.next_value_is(member.value)) return false;
  }
  if (!reader.done()) return false;
  context.members = event_context_;
  return true;
}

void RecordWriter::put_context(std::size_t record) {
  if (event_context_.count == 0) return;
  flags_ |= has_context;
  const auto known = find_latest(contexts_, context_, [this](Context& context) { return matches(context); });
  if (!known) return define_context(record);
  if (*known == context_) {
    flags_ |= same_context;
  } else {
    body_.put_varint(contexts_[*known].definition.record + 1);
    context_ = *known;
  }
}

void RecordWriter::define_context(std::size_t record) {
  shape_.clear();
  values_.clear();
  ShapeWriter members(vocabulary_, shape_, values_);
  for (std::size_t at = 0; at < event_context_.count; ++at) members.member(*event_context_.members[at]);
  marks_.clear();
  put_shared(marks_, shape_.view(), vocabulary_);
  body_.put_varint(0);
  body_.put_varint(marks_.size() + values_.size());
  body_.put(marks_.view());
  body_.put(values_.view());
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
  names_key_.clear();
  names_key_.put(sent_clock_ != nullptr ? '\1' : '\0');
  for (const auto name : names_) names_key_.put_counted(name);
}

void RecordWriter::put_clock(std::size_t record, const wire::Event& event) {
  if (!event.has_clock) return;
  flags_ |= has_clock;
  read_clock(event);
  const auto known =
      find_latest(clocks_, clock_, [this](const Clock& clock) { return clock.names == names_key_.view(); });
  if (known && *known == clock_) {
    flags_ |= same_clock;
  } else if (known) {
    body_.put_varint(clocks_[*known].record + 1);
    clock_ = *known;
  } else {
    values_.clear();
    values_.put_varint(names_.size() << 1U | (sent_clock_ != nullptr ? names_as_sent : 0));
    for (const auto name : names_) put_text(values_, name, vocabulary_);
    body_.put_varint(0);
    body_.put_counted(values_.view());
    clock_ = clocks_.size();
    clocks_.push_back({record, std::string(names_key_.view())});
  }
  for (const auto counter : counters_) body_.put_varint(counter);
}

/// Leaves the members' values for put_rest().
void RecordWriter::put_shape(const wire::Event& event) {
  marks_.clear();
  values_.clear();
  mark_ends_.clear();
  marks_.put_counted(event.kind);
  const std::size_t kind_end = marks_.size();
  ShapeWriter writer(vocabulary_, marks_, values_);
  for (const auto place : plan_->own) {
    const Json& value = event.metadata.members[place].value;
    if (&value == sent_clock_) {
      writer.known(Mark::clock_as_sent);
    } else if (place == plan_->parent_id && value.is(Json::Type::string) && value.text == previous_id_ &&
               !previous_id_.empty()) {
      writer.known(Mark::previous_id);
    } else {
      writer.value(value);
    }
    mark_ends_.push_back(marks_.size());
  }
  const auto marks = marks_.view();
  const std::uint64_t dictionary = vocabulary_.dictionary().serial();
  if (const auto number = shape_numbers_.find(dictionary, plan_->shape, marks)) {
    return put_number_of_shared(body_, *number);
  }
  shape_.clear();
  shape_.put(marks.substr(0, kind_end));
  std::size_t from = kind_end;
  for (std::size_t at = 0; at < plan_->own.size(); ++at) {
    shape_.put_counted(event.metadata.members[plan_->own[at]].key);
    shape_.put(marks.substr(from, mark_ends_[at] - from));
    from = mark_ends_[at];
  }
  const auto number = vocabulary_.number_of(shape_.view());
  if (!number) return put_itself(body_, shape_.view());
  shape_numbers_.note(dictionary, plan_->shape, marks, *number);
  put_number_of_shared(body_, *number);
}

void RecordWriter::put_rest(const wire::Event& event) {
  if (event.location) {
    flags_ |= has_location;
    put_text(body_, *event.location, vocabulary_);
  }
  if (event.duration_ms) {
    flags_ |= has_duration;
    std::memcpy(body_.extend(sizeof(float)), &*event.duration_ms, sizeof(float));
  }
  body_.put(values_.view());
}

}  // namespace raceway::server::storage::memory
