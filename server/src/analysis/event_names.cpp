#include "analysis/event_names.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "analysis/operations.hpp"
#include "causality/cut_text.hpp"
#include "wire/span_events.hpp"

namespace raceway::server::analysis {
namespace {

/// What the name of an event of a kind is made of: a word, then members of its metadata.
struct NameParts {
  std::string_view kind;
  std::string_view word;
  std::array<std::string_view, 2> members;
};
constexpr std::array name_parts = {
    NameParts{"StateChange", "", {"variable"}},
    NameParts{"FunctionCall", "", {"function_name"}},
    NameParts{"HttpRequest", "", {"method", "url"}},
    NameParts{"HttpResponse", "", {"status", "url"}},
    NameParts{"LockAcquire", "acquire", {"lock_id"}},
    NameParts{"LockRelease", "release", {"lock_id"}},
    NameParts{"AsyncSpawn", "spawn", {"task_id"}},
    NameParts{"AsyncAwait", "await", {"future_id"}},
    NameParts{"DatabaseQuery", "", {"query"}},
    NameParts{"Error", "", {"error_type", "message"}},
    NameParts{"Custom", "", {"name"}},
    NameParts{"FunctionReturn", "return", {"function_name"}},
};

void append_word(std::string& words, std::string_view word) {
  if (word.empty()) return;
  if (!words.empty()) words += ' ';
  words += word.substr(0, longest_event_name + 1);
}

void cut(std::string& name) {
  if (name.size() <= longest_event_name) return;
  name.resize(causality::first_bytes(name, longest_event_name).size());
  name += "\u2026";
}

/// Whether it is the end of a span whose status says so.
bool tells_failed_span(const wire::Json& metadata) {
  const wire::Json* const otel = wire::find_otel(metadata);
  return otel != nullptr && text_in(*otel, "status") == "ERROR";
}

}  // namespace

std::string event_name(const wire::Row& row, const wire::Json& metadata) {
  std::string name;
  const auto* const parts = std::ranges::find(name_parts, row.kind, &NameParts::kind);
  if (parts != name_parts.end()) {
    for (const std::string_view member : parts->members) {
      if (!member.empty()) append_word(name, text_in(metadata, member));
    }
    if (!name.empty() && !parts->word.empty()) name = std::string(parts->word) + ' ' + name;
  } else {
    append_word(name, text_in(metadata, "name"));
  }
  if (name.empty()) name = row.kind;
  cut(name);
  return name;
}

bool tells_error(const wire::Row& row, const wire::Json& metadata) {
  if (row.kind == "Error" || tells_failed_span(metadata)) return true;
  if (row.kind != "HttpResponse") return false;
  const auto status = text_in(metadata, "status");
  return status.size() == 3 && status.front() >= '5';
}

}  // namespace raceway::server::analysis
