#include "postgres/jsonb_writer.hpp"

#include <cstdint>

#include "postgres/numbers.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace raceway::postgres {
namespace {

using wire::Json;

void pad_to_int(std::string& out) {
  out.append(INTALIGN(out.size()) - out.size(), '\0');
}

void append_numeric(std::string& out, Numeric number) {
  pad_to_int(out);
  out.append(reinterpret_cast<const char*>(number), VARSIZE(number));
  pfree(number);
}

/// The entry words of a container that is being written: reserved first, filled as the children come.
class Entries {
 public:
  Entries(std::string& out, std::uint32_t header, std::size_t count) : out_(out) {
    out.append(reinterpret_cast<const char*>(&header), sizeof header);
    next_ = out.size();
    out.append(count * sizeof(JEntry), '\0');
    data_ = child_ = out.size();
  }

  /// Closes a child of that type: everything appended since the last one.
  void add(std::uint32_t type) {
    const std::size_t end = out_.size() - data_;
    if (end > JENTRY_OFFLENMASK) {
      throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "an event is too large for a jsonb value");
    }
    const auto length = static_cast<std::uint32_t>(out_.size() - child_);
    const bool has_offset = index_ % JB_OFFSET_STRIDE == 0;
    const JEntry entry = type | (has_offset ? static_cast<std::uint32_t>(end) | JENTRY_HAS_OFF : length);
    out_.replace(next_, sizeof entry, reinterpret_cast<const char*>(&entry), sizeof entry);
    next_ += sizeof entry;
    child_ = out_.size();
    ++index_;
  }

 private:
  std::string& out_;
  std::size_t next_ = 0;   // where the next entry goes
  std::size_t data_ = 0;   // where the children begin
  std::size_t child_ = 0;  // where the child begins that is being written
  std::size_t index_ = 0;
};

void append_container(std::string& out, const Json& value);

/// Writes a child and answers the type of its entry.
std::uint32_t append_child(std::string& out, const Json& value) {
  switch (value.type) {
    case Json::Type::null:
      return JENTRY_ISNULL;
    case Json::Type::boolean:
      return value.boolean ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
    case Json::Type::string:
      out += value.text;
      return JENTRY_ISSTRING;
    case Json::Type::number:
      append_numeric(out, numeric_of(value.text));
      return JENTRY_ISNUMERIC;
    case Json::Type::array:
    case Json::Type::object:
      break;
  }
  pad_to_int(out);
  append_container(out, value);
  return JENTRY_ISCONTAINER;
}

void append_container(std::string& out, const Json& value) {
  if (value.is(Json::Type::array)) {
    Entries entries(out, value.count | JB_FARRAY, value.count);
    for (const auto& element : value.as_array()) entries.add(append_child(out, element));
    return;
  }
  Entries entries(out, value.count | JB_FOBJECT, std::size_t{value.count} * 2);
  for (const auto& member : value.as_object()) {
    out += member.key;
    entries.add(JENTRY_ISSTRING);
  }
  for (const auto& member : value.as_object()) entries.add(append_child(out, member.value));
}

/// Appends a varlena whose inside `append` writes.
template <class F>
void append_varlena(std::string& out, F&& append) {
  const std::size_t begin = out.size();
  out.append(VARHDRSZ, '\0');
  append();
  SET_VARSIZE(out.data() + begin, out.size() - begin);
}

}  // namespace

void append_jsonb(std::string& out, const Json& object) {
  append_varlena(out, [&] { append_container(out, object); });
}

void append_jsonb_clock(std::string& out, const wire::Event& event) {
  append_varlena(out, [&] {
    const auto count = static_cast<std::uint32_t>(event.clock.size());
    Entries entries(out, count | JB_FOBJECT, std::size_t{count} * 2);
    for (const auto& component : event.clock) {
      out += component.name;
      entries.add(JENTRY_ISSTRING);
    }
    for (const auto& component : event.clock) {
      append_numeric(out, numeric_of(component.counter));
      entries.add(JENTRY_ISNUMERIC);
    }
  });
}

}  // namespace raceway::postgres
