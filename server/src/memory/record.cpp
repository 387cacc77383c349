#include "memory/record.hpp"

#include <cstring>

namespace raceway::server::memory {
namespace {

RecordHead read_head_there(std::string_view chunk, std::size_t at, bool may_refer);

/// A definition that stands here, or the one that an earlier record brought. `member` of its head is the definition.
template <class Member>
Definition read_definition(ByteReader& from, std::string_view chunk, std::size_t record, Member member, bool& defines,
                           bool may_refer) {
  const std::uint64_t back = from.varint();
  defines = back == 0;
  if (defines) return {record, from.counted()};
  if (!may_refer) return {};
  // What refers on is nothing that was written here, and might lead round and round.
  const Definition brought = back - 1 < record ? read_head_there(chunk, back - 1, false).*member : Definition();
  if (brought.bytes.data() == nullptr) throw DamagedBytes("a record refers to none that could be meant");
  return brought;
}

RecordHead read_head_there(std::string_view chunk, std::size_t at, bool may_refer) {
  RecordHead head;
  ByteReader outer(chunk.substr(at));
  head.flags = outer.byte();
  const std::string_view body = outer.counted();
  head.next = chunk.size() - outer.left();
  ByteReader from(body);
  head.id = from.bytes(sizeof(IdBytes));
  if ((head.flags & text_id) != 0) head.id_text = from.counted();
  head.time_step = from.varint();
  if ((head.flags & has_context) != 0 && (head.flags & same_context) == 0) {
    head.context = read_definition(from, chunk, at, &RecordHead::context, head.defines_context, may_refer);
  }
  if ((head.flags & has_clock) != 0 && (head.flags & same_clock) == 0) {
    head.clock = read_definition(from, chunk, at, &RecordHead::clock, head.defines_clock, may_refer);
  }
  head.rest = from;
  return head;
}

}  // namespace

RecordHead read_head(std::string_view chunk, std::size_t at) {
  return read_head_there(chunk, at, true);
}

bool is_record_of(const RecordHead& head, const Id& id) {
  const bool same_kind = ((head.flags & text_id) == 0) == id.is_uuid;
  return same_kind && head.id == view(id.bytes) && (id.is_uuid || head.id_text == id.text);
}

std::uint32_t count_records(std::string_view chunk) {
  std::uint32_t count = 0;
  for (ByteReader from(chunk); !from.done(); ++count) {
    from.byte();  // flags
    from.counted();
  }
  return count;
}

bool holds(std::string_view chunk, const Id& id) {
  ByteReader from(chunk);
  while (!from.done()) {
    const std::uint8_t flags = from.byte();
    ByteReader record(from.counted());
    const bool same_kind = ((flags & text_id) == 0) == id.is_uuid;
    if (same_kind && record.bytes(sizeof(IdBytes)) == view(id.bytes) && (id.is_uuid || record.counted() == id.text)) {
      return true;
    }
  }
  return false;
}

}  // namespace raceway::server::memory
