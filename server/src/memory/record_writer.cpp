#include "memory/record_writer.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

#include "memory/record_reader.hpp"

namespace raceway::server::memory {
namespace {

using wire::Json;

constexpr std::size_t definitions_searched = 16;

bool same_value(const Json& a, const Json& b);

bool same_member(const wire::JsonMember& a, const wire::JsonMember& b) {
  return same_bytes(a.key(), b.key()) && same_value(a.value, b.value);
}

bool same_value(const Json& a, const Json& b) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Json::Type::null:
      return true;
    case Json::Type::boolean:
      return a.boolean() == b.boolean();
    case Json::Type::number:
    case Json::Type::string:
      return same_bytes(a.text(), b.text());
    case Json::Type::array:
      return std::ranges::equal(a.as_array(), b.as_array(), same_value);
    case Json::Type::object:
      break;
  }
  return std::ranges::equal(a.as_object(), b.as_object(), same_member);
}

/// The counter of a pair [name, counter] whose number is written as a counter is.
std::optional<std::uint64_t> counter_of_pair(const Json& pair) {
  if (!pair.is(Json::Type::array) || pair.count() != 2) return std::nullopt;
  const auto parts = pair.as_array();
  if (!parts[0].is(Json::Type::string) || !parts[1].is(Json::Type::number)) return std::nullopt;
  const std::string_view text = parts[1].text();
  std::uint64_t counter = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), counter);
  const bool padded = text.size() > 1 && text.front() == '0';
  if (error != std::errc{} || end != text.data() + text.size() || padded) return std::nullopt;
  return counter;
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
  clear();
  existing_ = existing;
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
  context_number_ = 0;
  contexts_.clear();
  clocks_.clear();
  clock_names_.clear();
  restored_names_.clear();
  for (ByteBuffer* buffer : {&fresh_, &marks_, &shape_, &values_}) {
    buffer->clear();
    if (buffer->is_large()) *buffer = ByteBuffer();
  }
}

void RecordWriter::restore(const RecordHead& head) {
  previous_time_ = step_time(previous_time_, head.time_step);
  if (head.defines_context) contexts_.push_back({head.context, std::nullopt});
  if (head.defines_clock) restore_clock(head.clock);
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

void RecordWriter::restore_clock(const Definition& definition) {
  ClockNames read;
  read_names(definition.bytes, vocabulary_.dictionary(), read);
  clocks_.push_back({definition.record, read.as_sent, clock_names_.size(), read.names.size()});
  for (auto& name : read.names) clock_names_.push_back(restored_names_.emplace_back(std::move(name)));
}

void RecordWriter::append(const wire::Event& event, const Id& id) {
  const std::size_t begin = fresh_.size();
  const std::size_t record = existing_.size() + begin;
  fresh_.extend(2);  // the flags, and the count of what follows
  flags_ = 0;
  fresh_.put(view(id.bytes));
  if (!id.is_uuid) {
    flags_ |= text_id;
    fresh_.put_counted(id.text);
  }
  fresh_.put_varint(time_step(previous_time_, event.timestamp));
  plan_ = &plans_.plan_for(event);
  parent_ = nullptr;
  sent_clock_ = nullptr;
  put_context(record, event);
  put_clock(record, event);
  own_members_.clear();
  const auto members = event.metadata.as_object();
  for (const auto place : plan_->own) own_members_.push_back(&members[place]);
  if (plan_->parent_id != MetadataPlan::no_member) parent_ = &members[plan_->parent_id];
  take_apart(own_members_);
  put_shape(own_shapes_, plan_->shape, event.kind, own_members_);
  put_rest(event);

  fresh_[begin] = static_cast<char>(flags_);
  fresh_.count_from(begin + 2);
  previous_id_ = event.event_id;
  previous_time_ = event.timestamp;
}

void RecordWriter::put_context(std::size_t record, const wire::Event& event) {
  if (plan_->context_count == 0 && event.context.empty()) return;
  flags_ |= has_context;
  const auto known = find_context(event);
  if (!known) {
    define_context(record);
  } else if (*known == context_) {
    flags_ |= same_context;
  } else {
    fresh_.put_varint(contexts_[*known].definition.record + 1);
    context_ = *known;
  }
  context_number_ = event.context_number;
}

std::optional<std::size_t> RecordWriter::find_context(const wire::Event& event) {
  if (event.context_number != 0 && event.context_number == context_number_) return context_;
  gather_context(event);
  return find_latest(contexts_, context_, [this](Context& context) { return matches(context); });
}

void RecordWriter::gather_context(const wire::Event& event) {
  auto& [keys, members, count] = event_context_;
  count = 0;
  if (!event.context.empty()) {
    keys = event.context_keys;
    for (const auto& member : event.context) members[count++] = &member;
  } else {
    keys = 0;
    for (; count < plan_->context_count; ++count) members[count] = &event.metadata.as_object()[plan_->context[count]];
  }
}

void RecordWriter::define_context(std::size_t record) {
  fresh_.put_varint(0);
  fresh_.extend(1);  // the count of what follows
  const std::size_t begin = fresh_.size();
  const Members members(event_context_.members.data(), event_context_.count);
  take_apart(members);
  put_shape(context_shapes_, event_context_.keys, std::nullopt, members);
  fresh_.put(values_.view());
  fresh_.count_from(begin);
  context_ = contexts_.size();
  contexts_.push_back({{record, {}}, event_context_});
}

bool RecordWriter::same_members(const ContextMembers& a, const ContextMembers& b) {
  if (a.count != b.count) return false;
  const bool same_keys = a.keys != 0 && a.keys == b.keys;
  // From the end: what tells requests apart (their spans) has the longest names.
  for (std::size_t at = a.count; at-- > 0;) {
    if (!same_keys && !same_bytes(a.members[at]->key(), b.members[at]->key())) return false;
    const Json& in_a = a.members[at]->value;
    const Json& in_b = b.members[at]->value;
    const bool both_text = in_a.is(Json::Type::string) && in_b.is(Json::Type::string);
    if (!(both_text ? same_bytes(in_a.text(), in_b.text()) : same_value(in_a, in_b))) return false;
  }
  return true;
}

bool RecordWriter::matches(Context& context) const {
  if (context.members) return same_members(*context.members, event_context_);
  ShapeReader reader = read_context(context.definition.bytes, vocabulary_.dictionary());
  for (std::size_t at = 0; at < event_context_.count; ++at) {
    const wire::JsonMember& member = *event_context_.members[at];
    if (reader.done() || reader.next_key() != member.key() || !reader.next_value_is(member.value)) return false;
  }
  if (!reader.done()) return false;
  context.members = event_context_;
  return true;
}

/// Whether `pairs` are the components of the clock, each once, in whatever order; then components_as_sent_ has that
/// order. Of many it is not asked.
bool RecordWriter::is_permutation(const Json& pairs, Components clock) {
  constexpr std::size_t many = 64;
  if (!pairs.is(Json::Type::array) || pairs.count() != clock.size() || clock.size() > many) return false;
  components_as_sent_.clear();
  std::uint64_t found = 0;
  for (const Json& pair : pairs.as_array()) {
    const auto counter = counter_of_pair(pair);
    if (!counter) return false;
    const std::string_view name = pair.as_array()[0].text();
    const auto at = std::find_if(clock.begin(), clock.end(), [&](const causality::Component& component) {
      return component.counter == *counter && same_bytes(component.name, name);
    });
    if (at == clock.end()) return false;
    found |= std::uint64_t{1} << static_cast<unsigned>(at - clock.begin());
    components_as_sent_.push_back(*at);
  }
  return static_cast<std::size_t>(std::popcount(found)) == clock.size();
}

void RecordWriter::put_clock(std::size_t record, const wire::Event& event) {
  if (!event.has_clock) return;
  flags_ |= has_clock;
  if (plan_->causality_vector != MetadataPlan::no_member) {
    const Json& sent = event.metadata.as_object()[plan_->causality_vector].value;
    if (is_permutation(sent, event.clock)) sent_clock_ = &sent;
  }
  const Components components = sent_clock_ != nullptr ? Components(components_as_sent_) : event.clock;
  const auto known = find_latest(clocks_, clock_, [&](const Clock& clock) { return matches(clock, components); });
  if (!known) {
    define_clock(record, components);
  } else if (*known == clock_) {
    flags_ |= same_clock;
  } else {
    fresh_.put_varint(clocks_[*known].record + 1);
    clock_ = *known;
  }
  for (const auto& component : components) fresh_.put_varint(component.counter);
}

bool RecordWriter::matches(const Clock& clock, Components components) const {
  if (clock.names != components.size() || clock.as_sent != (sent_clock_ != nullptr)) return false;
  for (std::size_t at = 0; at < components.size(); ++at) {
    if (!same_bytes(clock_names_[clock.first_name + at], components[at].name)) return false;
  }
  return true;
}

void RecordWriter::define_clock(std::size_t record, Components components) {
  const bool as_sent = sent_clock_ != nullptr;
  values_.clear();
  values_.put_varint(components.size() << 1U | (as_sent ? names_as_sent : 0));
  for (const auto& component : components) put_text(values_, component.name, vocabulary_);
  fresh_.put_varint(0);
  fresh_.put_counted(values_.view());
  clock_ = clocks_.size();
  clocks_.push_back({record, as_sent, clock_names_.size(), components.size()});
  for (const auto& component : components) clock_names_.push_back(component.name);
}

/// Takes members apart into marks_ and values_.
void RecordWriter::take_apart(Members members) {
  marks_.clear();
  values_.clear();
  mark_ends_.clear();
  ShapeWriter writer(vocabulary_, marks_, values_);
  for (const wire::JsonMember* member : members) {
    const Json& value = member->value;
    if (&value == sent_clock_) {
      writer.known(Mark::clock_as_sent);
    } else if (member == parent_ && value.is(Json::Type::string) && !previous_id_.empty() &&
               same_bytes(value.text(), previous_id_)) {
      writer.known(Mark::previous_id);
    } else {
      writer.value(value);
    }
    mark_ends_.push_back(marks_.size());
  }
}

/// Puts the shape of the members that were just taken apart, behind a kind where it belongs to it. Among what is
/// `known`, the kind and the keys are the same wherever `keys` is the same, and not 0.
void RecordWriter::put_shape(ShapeNumbers& known, std::uint64_t keys, std::optional<std::string_view> kind,
                             Members members) {
  const auto marks = marks_.view();
  const std::uint64_t dictionary = vocabulary_.dictionary().serial();
  if (const auto number = known.find(dictionary, keys, marks)) return put_number_of_shared(fresh_, *number);
  shape_.clear();
  if (kind) shape_.put_counted(*kind);
  std::size_t from = 0;
  for (std::size_t at = 0; at < members.size(); ++at) {
    shape_.put_counted(members[at]->key());
    shape_.put(marks.substr(from, mark_ends_[at] - from));
    from = mark_ends_[at];
  }
  // What is no longer than its number would be is not worth one.
  const auto number = shape_.size() > 1 ? vocabulary_.number_of(shape_.view()) : std::nullopt;
  if (!number) return put_itself(fresh_, shape_.view());
  known.note(dictionary, keys, marks, *number);
  put_number_of_shared(fresh_, *number);
}

void RecordWriter::put_rest(const wire::Event& event) {
  if (event.location) {
    flags_ |= has_location;
    put_text(fresh_, *event.location, vocabulary_);
  }
  if (event.duration_ms) {
    flags_ |= has_duration;
    std::memcpy(fresh_.extend(sizeof(float)), &*event.duration_ms, sizeof(float));
  }
  fresh_.put(values_.view());
}

}  // namespace raceway::server::memory
