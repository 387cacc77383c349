#include "wire/span_conventions.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "wire/event_parts.hpp"
#include "wire/fields.hpp"

namespace raceway::wire {
namespace {

using Names = std::initializer_list<std::string_view>;

constexpr std::string_view stack_trace_attribute = "exception.stacktrace";
constexpr std::string_view old_value_attribute = "raceway.old";
constexpr std::string_view new_value_attribute = "raceway.new";

Json text_or(const Json* value, std::string_view otherwise) {
  return Json::of_string(value != nullptr && value->is(Json::Type::string) ? value->text() : otherwise);
}

/// The attributes without those of these names.
Json without(const Json& attributes, Names names, Arena& arena) {
  return Json::of_object(pick_members(attributes, arena, [&](std::string_view key) {
    return std::find(names.begin(), names.end(), key) == names.end();
  }));
}

enum class About : std::uint8_t { function, http, database, messaging };

About about(const Span& span) {
  if (find_attribute(span.attributes, {"http.request.method", "http.method"}) != nullptr) return About::http;
  if (find_attribute(span.attributes, {"db.system.name", "db.system"}) != nullptr) return About::database;
  if (find_attribute(span.attributes, {"messaging.system"}) != nullptr) return About::messaging;
  return About::function;
}

std::string_view message_operation(const Span& span) {
  const Json* told = find_attribute(span.attributes, {"messaging.operation.type", "messaging.operation"});
  if (told != nullptr && told->is(Json::Type::string)) {
    const bool sends = told->text() == "publish" || told->text() == "create" || told->text() == "send";
    return sends ? "send" : told->text();
  }
  return span.kind == SpanKind::producer ? "send" : "process";
}

Json function_name(const Span& span) {
  return text_or(find_attribute(span.attributes, {"code.function.name", "code.function"}), span.name);
}

Json url_of(const Span& span, Arena& arena) {
  const Json* whole = find_attribute(span.attributes, {"url.full", "http.url"});
  if (whole != nullptr && whole->is(Json::Type::string)) return *whole;
  const Json* path = find_attribute(span.attributes, {"url.path"});
  const Json* query = find_attribute(span.attributes, {"url.query"});
  const bool both = path != nullptr && query != nullptr && path->is(Json::Type::string) &&
                    query->is(Json::Type::string) && !query->text().empty();
  if (both) return Json::of_string(arena.join(path->text(), "?", query->text()));
  return text_or(path != nullptr ? path : find_attribute(span.attributes, {"http.target", "http.route"}), "");
}

/// A text's lines, as the SDKs send a stack.
Json lines_of(std::string_view text, Arena& arena) {
  const auto count = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  Json* const lines = arena.allocate<Json>(count);
  for (std::size_t line = 0; line < count; ++line) {
    const auto length = std::min(text.find('\n'), text.size());
    lines[line] = Json::of_string(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return Json::of_array({lines, count});
}

/// The SDKs' name of an access: `write`, `atomic_read` and such in any case; another one stays as it is.
Json access_type(const Json* told) {
  if (told == nullptr || !told->is(Json::Type::string)) return Json::of_string("Write");
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> known = {{{"read", "Read"},
                                                                                   {"write", "Write"},
                                                                                   {"atomicread", "AtomicRead"},
                                                                                   {"atomicwrite", "AtomicWrite"},
                                                                                   {"atomicrmw", "AtomicRMW"}}};
  std::string plain;
  for (const char c : told->text().substr(0, 16)) {
    if (c != '_' && c != '-') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const auto* const found =
      std::find_if(known.begin(), known.end(), [&](const auto& access) { return access.first == plain; });
  return found == known.end() ? *told : Json::of_string(found->second);
}

Act error_of(const SpanMoment& moment, Arena& arena) {
  Act act{.kind = "Error", .attributes = moment.attributes};
  const Json* type = find_attribute(moment.attributes, {"exception.type"});
  act.add("error_type", text_or(type, moment.name));
  act.add("message", text_or(find_attribute(moment.attributes, {"exception.message"}), ""));
  const Json* stack = find_attribute(moment.attributes, {stack_trace_attribute});
  if (stack == nullptr || !stack->is(Json::Type::string)) return act;
  act.add("stack_trace", lines_of(stack->text(), arena));
  act.attributes = without(moment.attributes, {stack_trace_attribute}, arena);
  return act;
}

Act state_change_of(const SpanMoment& moment, const Json& variable, Arena& arena) {
  Act act{.kind = "StateChange",
          .attributes = without(moment.attributes, {old_value_attribute, new_value_attribute}, arena)};
  act.add("variable", variable);
  act.add("access_type", access_type(find_attribute(moment.attributes, {"raceway.access"})));
  if (const Json* value = moment.attributes.find(old_value_attribute)) act.add("old_value", *value);
  if (const Json* value = moment.attributes.find(new_value_attribute)) act.add("new_value", *value);
  return act;
}

Act custom(std::string_view name, const Json& attributes) {
  Act act{.kind = "Custom", .attributes = attributes};
  act.add("name", Json::of_string(name));
  return act;
}

Act lock_of(const SpanMoment& moment, const Json& lock) {
  const Json* operation = find_attribute(moment.attributes, {"raceway.op"});
  const bool releases = operation != nullptr && operation->is(Json::Type::string) && operation->text() == "release";
  Act act{.kind = releases ? "LockRelease" : "LockAcquire", .attributes = moment.attributes};
  act.add("lock_id", lock);
  act.add("lock_type", text_or(find_attribute(moment.attributes, {"raceway.lock_type"}), "Mutex"));
  return act;
}

const Json* find_text(const Json& attributes, std::string_view name) {
  const Json* value = attributes.find(name);
  return value != nullptr && value->is(Json::Type::string) ? value : nullptr;
}

}  // namespace

const Json* find_attribute(const Json& attributes, Names names) {
  for (const auto name : names) {
    if (const Json* value = find_value(attributes, name)) return value;
  }
  return nullptr;
}

Act act_of_start(const Span& span, const SpanSource& source, Arena& arena) {
  Act act{.kind = "FunctionCall", .attributes = span.attributes};
  switch (about(span)) {
    case About::http:
      act.kind = "HttpRequest";
      act.add("method", text_or(find_attribute(span.attributes, {"http.request.method", "http.method"}), ""));
      act.add("url", url_of(span, arena));
      return act;
    case About::database:
      act.kind = "DatabaseQuery";
      act.add("query", text_or(find_attribute(span.attributes, {"db.query.text", "db.statement"}), span.name));
      act.add("database", text_or(find_attribute(span.attributes, {"db.namespace", "db.name"}), ""));
      return act;
    case About::messaging:
      return custom(message_operation(span), span.attributes);
    case About::function:
      break;
  }
  act.add("function_name", function_name(span));
  act.add("module", text_or(find_attribute(span.attributes, {"code.namespace"}), source.scope_name));
  const Json* file = find_attribute(span.attributes, {"code.file.path", "code.filepath"});
  const Json* line = find_attribute(span.attributes, {"code.line.number", "code.lineno"});
  if (file == nullptr || line == nullptr || !file->is(Json::Type::string) || !line->is(Json::Type::number)) return act;
  act.add(fields::file, *file);
  act.add(fields::line, *line);
  return act;
}

Act act_of_end(const Span& span, Arena& arena) {
  Act act{.kind = "FunctionReturn", .attributes = Json::of_object({})};
  switch (about(span)) {
    case About::http:
      act.kind = "HttpResponse";
      if (const Json* status = find_attribute(span.attributes, {"http.response.status_code", "http.status_code"})) {
        act.add("status", *status);
      }
      return act;
    case About::database:
      act.kind = "DatabaseResult";
      if (const Json* rows = find_attribute(span.attributes, {"db.response.returned_rows"})) {
        act.add("rows_affected", *rows);
      }
      return act;
    case About::messaging:
      return custom(arena.join(message_operation(span), " ", "end"), act.attributes);
    case About::function:
      break;
  }
  act.add("function_name", function_name(span));
  return act;
}

Act act_of_moment(const SpanMoment& moment, Arena& arena) {
  const Json& attributes = moment.attributes;
  const bool is_exception =
      moment.name == "exception" || find_attribute(attributes, {"exception.type", "exception.message"}) != nullptr;
  if (is_exception) return error_of(moment, arena);
  if (const Json* variable = find_text(attributes, "raceway.variable"))
    return state_change_of(moment, *variable, arena);
  if (const Json* lock = find_text(attributes, "raceway.lock")) return lock_of(moment, *lock);
  return custom(moment.name, attributes);
}

std::string_view place_in_code(const Json& attributes, Arena& arena) {
  const Json* file = find_attribute(attributes, {"code.file.path", "code.filepath"});
  const Json* line = find_attribute(attributes, {"code.line.number", "code.lineno"});
  if (file == nullptr || !file->is(Json::Type::string)) return {};
  if (line == nullptr || !line->is(Json::Type::number)) return file->text();
  return arena.join(file->text(), ":", line->text());
}

}  // namespace raceway::wire
