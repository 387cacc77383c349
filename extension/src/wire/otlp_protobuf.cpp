#include "wire/otlp_protobuf.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <vector>

#include "wire/attribute_values.hpp"

namespace raceway::wire {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using protozero::tag_and_type;

constexpr auto bytes_type = pbf_wire_type::length_delimited;
constexpr auto varint_type = pbf_wire_type::varint;
constexpr auto fixed64_type = pbf_wire_type::fixed64;
constexpr auto fixed32_type = pbf_wire_type::fixed32;

constexpr std::uint32_t field(unsigned number, pbf_wire_type type) {
  return tag_and_type(number, type);
}

std::string_view bytes_of(pbf_reader& reader) {
  const auto view = reader.get_view();
  return {view.data(), view.size()};
}

/// A string field that a text of a database can hold.
std::string_view text_of(pbf_reader& reader) {
  const auto text = bytes_of(reader);
  if (!simdjson::validate_utf8(text.data(), text.size())) throw EventError("a string is not valid UTF-8");
  if (std::memchr(text.data(), 0, text.size()) != nullptr) {
    throw EventError("a string holds the character \\u0000, which no database text can hold");
  }
  return text;
}

template <std::size_t N>
void read_id(pbf_reader& reader, std::array<unsigned char, N>& id, const char* name) {
  const auto bytes = bytes_of(reader);
  if (bytes.empty()) return;
  if (bytes.size() != N) {
    throw EventError(std::string(name) + " has " + std::to_string(bytes.size()) + " bytes; it is to have " +
                     std::to_string(N));
  }
  std::copy(bytes.begin(), bytes.end(), id.begin());
}

/// Reads the messages of one body.
class RequestReader {
 public:
  explicit RequestReader(SpanBatch& spans)
      : spans_(spans), arena_(spans.arena()), members_(&arena_.allowance()), values_(&arena_.allowance()) {}

  void read(pbf_reader request) {
    while (request.next()) {
      if (request.tag_and_type() == field(1, bytes_type)) {
        read_resource_spans(request.get_message());
      } else {
        request.skip();
      }
    }
  }

 private:
  void read_resource_spans(pbf_reader message);
  void read_scope_spans(pbf_reader message, SpanSource source, std::string problem);
  void read_resource(pbf_reader message, SpanSource& source);
  void read_scope(pbf_reader message, SpanSource& source);
  void read_span(pbf_reader message, Span& span);
  void read_status(pbf_reader message, Span& span);
  SpanMoment read_moment(pbf_reader message);
  SpanLink read_link(pbf_reader message);
  Json read_value(pbf_reader message, int depth);
  Json read_array(pbf_reader message, int depth);
  Json read_members(pbf_reader message, int depth);
  void read_member(pbf_reader message, int depth);
  Json take_members(std::size_t from);

  /// What a message of a source says; why it cannot be kept, or nothing.
  template <class Read>
  std::string read_kept(pbf_reader message, Read read) {
    try {
      read(message);
      return {};
    } catch (const EventError& error) {
      return error.what();
    } catch (const OverAllowance&) {
      return too_many_attributes;
    }
  }
  static constexpr const char* too_many_attributes = "its resource or scope holds too many small values";

  SpanBatch& spans_;
  Arena& arena_;
  std::pmr::vector<JsonMember> members_;  // of the objects being read, innermost last
  std::pmr::vector<Json> values_;         // of the arrays being read, innermost last
};

void RequestReader::read_resource_spans(pbf_reader message) {
  // A field may stand behind those that need it.
  SpanSource source;
  std::string problem;
  for (pbf_reader fields = message; fields.next();) {
    if (fields.tag_and_type() == field(1, bytes_type)) {
      const pbf_reader resource = fields.get_message();
      spans_.pay_for(resource.length());
      problem += read_kept(resource, [&](pbf_reader part) { read_resource(part, source); });
    } else if (fields.tag_and_type() == field(3, bytes_type)) {
      problem += read_kept(fields, [&](pbf_reader part) { source.resource_schema = text_of(part); });
      fields.skip();
    } else {
      fields.skip();
    }
  }
  while (message.next()) {
    if (message.tag_and_type() == field(2, bytes_type)) {
      read_scope_spans(message.get_message(), source, problem);
    } else {
      message.skip();
    }
  }
}

void RequestReader::read_scope_spans(pbf_reader message, SpanSource source, std::string problem) {
  for (pbf_reader fields = message; fields.next();) {
    if (fields.tag_and_type() == field(1, bytes_type)) {
      const pbf_reader scope = fields.get_message();
      spans_.pay_for(scope.length());
      problem += read_kept(scope, [&](pbf_reader part) { read_scope(part, source); });
    } else if (fields.tag_and_type() == field(3, bytes_type)) {
      problem += read_kept(fields, [&](pbf_reader part) { source.scope_schema = text_of(part); });
      fields.skip();
    } else {
      fields.skip();
    }
  }
  spans_.begin_source(source, problem);
  while (message.next()) {
    if (message.tag_and_type() != field(2, bytes_type)) {
      message.skip();
      continue;
    }
    const pbf_reader span_message = message.get_message();
    spans_.add(span_message.length(), [&](Span& span) {
      members_.clear();
      values_.clear();
      try {
        read_span(span_message, span);
      } catch (const protozero::exception& error) {
        throw EventError(std::string("the span is not protobuf: ") + error.what());
      }
    });
  }
}

void RequestReader::read_resource(pbf_reader message, SpanSource& source) {
  const std::size_t from = members_.size();
  while (message.next()) {
    switch (message.tag_and_type()) {
      case field(1, bytes_type):
        read_member(message.get_message(), 0);
        break;
      case field(2, varint_type):
        source.dropped_resource_attributes = message.get_uint32();
        break;
      default:
        message.skip();
    }
  }
  source.resource = take_members(from);
}

void RequestReader::read_scope(pbf_reader message, SpanSource& source) {
  const std::size_t from = members_.size();
  while (message.next()) {
    switch (message.tag_and_type()) {
      case field(1, bytes_type):
        source.scope_name = text_of(message);
        break;
      case field(2, bytes_type):
        source.scope_version = text_of(message);
        break;
      case field(3, bytes_type):
        read_member(message.get_message(), 0);
        break;
      case field(4, varint_type):
        source.dropped_scope_attributes = message.get_uint32();
        break;
      default:
        message.skip();
    }
  }
  source.scope = take_members(from);
}

void RequestReader::read_span(pbf_reader message, Span& span) {
  std::pmr::vector<SpanMoment> moments(&arena_.allowance());
  std::pmr::vector<SpanLink> links(&arena_.allowance());
  while (message.next()) {
    arena_.allowance().step();
    switch (message.tag_and_type()) {
      case field(1, bytes_type):
        read_id(message, span.trace_id, "trace_id");
        break;
      case field(2, bytes_type):
        read_id(message, span.span_id, "span_id");
        break;
      case field(3, bytes_type):
        span.trace_state = text_of(message);
        break;
      case field(4, bytes_type):
        read_id(message, span.parent_id, "parent_span_id");
        break;
      case field(5, bytes_type):
        span.name = text_of(message);
        break;
      case field(6, varint_type):
        span.kind = span_kind(static_cast<std::uint64_t>(message.get_enum()));
        break;
      case field(7, fixed64_type):
        span.start = message.get_fixed64();
        break;
      case field(8, fixed64_type):
        span.end = message.get_fixed64();
        break;
      case field(9, bytes_type):
        read_member(message.get_message(), 0);
        break;
      case field(10, varint_type):
        span.dropped_attributes = message.get_uint32();
        break;
      case field(11, bytes_type):
        moments.push_back(read_moment(message.get_message()));
        break;
      case field(12, varint_type):
        span.dropped_moments = message.get_uint32();
        break;
      case field(13, bytes_type):
        links.push_back(read_link(message.get_message()));
        break;
      case field(14, varint_type):
        span.dropped_links = message.get_uint32();
        break;
      case field(15, bytes_type):
        read_status(message.get_message(), span);
        break;
      case field(16, fixed32_type):
        span.flags = message.get_fixed32();
        break;
      default:
        message.skip();
    }
  }
  span.attributes = take_members(0);
  span.moments = arena_.copy(std::span<const SpanMoment>(moments));
  span.links = arena_.copy(std::span<const SpanLink>(links));
}

void RequestReader::read_status(pbf_reader message, Span& span) {
  while (message.next()) {
    switch (message.tag_and_type()) {
      case field(2, bytes_type):
        span.status_message = text_of(message);
        break;
      case field(3, varint_type):
        span.status = span_status(static_cast<std::uint64_t>(message.get_enum()));
        break;
      default:
        message.skip();
    }
  }
}

SpanMoment RequestReader::read_moment(pbf_reader message) {
  SpanMoment moment;
  const std::size_t from = members_.size();
  while (message.next()) {
    switch (message.tag_and_type()) {
      case field(1, fixed64_type):
        moment.time = message.get_fixed64();
        break;
      case field(2, bytes_type):
        moment.name = text_of(message);
        break;
      case field(3, bytes_type):
        read_member(message.get_message(), 0);
        break;
      case field(4, varint_type):
        moment.dropped_attributes = message.get_uint32();
        break;
      default:
        message.skip();
    }
  }
  moment.attributes = take_members(from);
  return moment;
}

SpanLink RequestReader::read_link(pbf_reader message) {
  SpanLink link;
  const std::size_t from = members_.size();
  while (message.next()) {
    switch (message.tag_and_type()) {
      case field(1, bytes_type):
        read_id(message, link.trace_id, "the trace_id of a link");
        break;
      case field(2, bytes_type):
        read_id(message, link.span_id, "the span_id of a link");
        break;
      case field(3, bytes_type):
        link.trace_state = text_of(message);
        break;
      case field(4, bytes_type):
        read_member(message.get_message(), 0);
        break;
      case field(5, varint_type):
        link.dropped_attributes = message.get_uint32();
        break;
      case field(6, fixed32_type):
        link.flags = message.get_fixed32();
        break;
      default:
        message.skip();
    }
  }
  link.attributes = take_members(from);
  return link;
}

Json RequestReader::read_value(pbf_reader message, int depth) {
  if (depth > most_attribute_depth) throw EventError("an attribute " + attributes_too_deep());
  Json value;
  while (message.next()) {
    arena_.allowance().step();
    switch (message.tag_and_type()) {
      case field(1, bytes_type):
        value = Json::of_string(text_of(message));
        break;
      case field(2, varint_type):
        value = Json::of_bool(message.get_bool());
        break;
      case field(3, varint_type):
        value = whole_value(message.get_int64(), arena_);
        break;
      case field(4, fixed64_type):
        value = double_value(message.get_double(), arena_);
        break;
      case field(5, bytes_type):
        value = read_array(message.get_message(), depth + 1);
        break;
      case field(6, bytes_type):
        value = read_members(message.get_message(), depth + 1);
        break;
      case field(7, bytes_type):
        value = bytes_value(bytes_of(message), arena_);
        break;
      default:
        message.skip();
    }
  }
  return value;
}

Json RequestReader::read_array(pbf_reader message, int depth) {
  const std::size_t from = values_.size();
  while (message.next()) {
    if (message.tag_and_type() == field(1, bytes_type)) {
      values_.push_back(read_value(message.get_message(), depth));
    } else {
      message.skip();
    }
  }
  const auto kept = arena_.copy(std::span<const Json>(values_).subspan(from));
  values_.resize(from);
  return Json::of_array(kept);
}

Json RequestReader::read_members(pbf_reader message, int depth) {
  const std::size_t from = members_.size();
  while (message.next()) {
    if (message.tag_and_type() == field(1, bytes_type)) {
      read_member(message.get_message(), depth);
    } else {
      message.skip();
    }
  }
  return take_members(from);
}

void RequestReader::read_member(pbf_reader message, int depth) {
  std::string_view key;
  Json value;
  while (message.next()) {
    switch (message.tag_and_type()) {
      case field(1, bytes_type):
        key = text_of(message);
        break;
      case field(2, bytes_type):
        value = read_value(message.get_message(), depth);
        break;
      default:
        message.skip();
    }
  }
  members_.emplace_back(key, value);
}

/// The members that were read since there were `from`, as an object.
Json RequestReader::take_members(std::size_t from) {
  const auto kept = arena_.copy(std::span<const JsonMember>(members_).subspan(from));
  members_.resize(from);
  return Json::of_object(kept.first(sort_members(kept, arena_.allowance())));
}

/// Whether frames of the request's only field fill the body.
bool is_framed(std::string_view body) {
  try {
    for (pbf_reader request(body.data(), body.size()); request.next();) {
      if (request.tag_and_type() != field(1, bytes_type)) return false;
      request.skip();
    }
    return true;
  } catch (const protozero::exception&) {
    return false;
  }
}

bool begins_as_json(std::string_view body) {
  const auto begin = body.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && (body[begin] == '{' || body[begin] == '[');
}

}  // namespace

bool is_otlp_protobuf(std::string_view body) {
  if (body.empty() || body.front() != '\n') return false;
  // A span's id, and an attribute's value, begin with one.
  const bool has_controls = std::any_of(body.begin(), body.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r';
  });
  return has_controls && (!begins_as_json(body) || is_framed(body));
}

void read_otlp_protobuf(std::string_view body, SpanBatch& spans) {
  try {
    RequestReader(spans).read(pbf_reader(body.data(), body.size()));
  } catch (const protozero::exception& error) {
    throw BodyError(std::string("the body is no ExportTraceServiceRequest in protobuf: ") + error.what());
  }
}

}  // namespace raceway::wire
