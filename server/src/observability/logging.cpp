#include "observability/logging.hpp"

#include <spdlog/sinks/stdout_sinks.h>

#include <chrono>
#include <ctime>

#include "observability/request_id.hpp"
#include "terminal/for_terminal.hpp"

namespace raceway::server::observability {
namespace {

using Buffer = spdlog::memory_buf_t;

void append(Buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

/// Messages may quote what a client sent: nothing in them may end the line, move the cursor, turn the direction of
/// writing or break the JSON. Bytes that are not UTF-8 become U+FFFD.
void append_escaped(Buffer& out, std::string_view text, bool json) {
  while (!text.empty()) {
    const auto character = terminal::first_character(text);
    if (!character.is_valid)
      append(out, "\xEF\xBF\xBD");
    else if (character.acts())
      append(out, terminal::json_escape(character));
    else if (json && (character.code == '"' || character.code == '\\'))
      append(out, character.code == '"' ? "\\\"" : "\\\\");
    else
      append(out, text.substr(0, character.size));
    text.remove_prefix(character.size);
  }
}

/// UTC to the millisecond.
void append_time(Buffer& out, spdlog::log_clock::time_point time) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto second = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto seconds = static_cast<std::time_t>(second.count());
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                 (since_epoch - second).count());
}

std::string_view level_name(spdlog::level::level_enum level) {
  const auto name = spdlog::level::to_string_view(level);
  return level == spdlog::level::warn ? "warn" : std::string_view(name.data(), name.size());
}

std::string_view view(spdlog::string_view_t text) {
  return {text.data(), text.size()};
}

/// 2024-05-01T12:00:00.000Z info [http] listening on 127.0.0.1:8080 (request 1f...)
class TextFormatter : public spdlog::formatter {
 public:
  explicit TextFormatter(bool include_modules) : include_modules_(include_modules) {}

  void format(const spdlog::details::log_msg& message, Buffer& out) override {
    append_time(out, message.time);
    fmt::format_to(std::back_inserter(out), " {:<5} ", level_name(message.level));
    if (include_modules_ && message.logger_name.size() > 0) {
      fmt::format_to(std::back_inserter(out), "[{}] ", view(message.logger_name));
    }
    append_escaped(out, view(message.payload), false);
    if (const std::string_view id = current_request_id(); !id.empty()) {
      append(out, " (request ");
      append_escaped(out, id, false);
      append(out, ")");
    }
    append(out, "\n");
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<TextFormatter>(*this); }

 private:
  bool include_modules_;
};

/// {"time":"2024-05-01T12:00:00.000Z","level":"info","module":"http","request_id":"1f...","message":"..."}
class JsonFormatter : public spdlog::formatter {
 public:
  explicit JsonFormatter(bool include_modules) : include_modules_(include_modules) {}

  void format(const spdlog::details::log_msg& message, Buffer& out) override {
    append(out, R"({"time":")");
    append_time(out, message.time);
    append_member(out, "level", level_name(message.level));
    if (include_modules_ && message.logger_name.size() > 0) append_member(out, "module", view(message.logger_name));
    if (const std::string_view id = current_request_id(); !id.empty()) append_member(out, "request_id", id);
    append_member(out, "message", view(message.payload));
    append(out, "\"}\n");
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(*this); }

 private:
  /// Ends the string before it, begins its own and leaves it open.
  static void append_member(Buffer& out, std::string_view name, std::string_view value) {
    append(out, R"(",")");
    append(out, name);
    append(out, R"(":")");
    append_escaped(out, value, true);
  }

  bool include_modules_;
};

spdlog::level::level_enum to_spdlog(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::trace:
      return spdlog::level::trace;
    case config::LogLevel::debug:
      return spdlog::level::debug;
    case config::LogLevel::info:
      return spdlog::level::info;
    case config::LogLevel::warn:
      return spdlog::level::warn;
    case config::LogLevel::error:
      return spdlog::level::err;
    case config::LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

std::unique_ptr<spdlog::formatter> make_formatter(const config::Logging& logging) {
  if (logging.format == config::LogFormat::json) return std::make_unique<JsonFormatter>(logging.include_modules);
  return std::make_unique<TextFormatter>(logging.include_modules);
}

void start_logging(const config::Logging& logging) {
  auto logger = std::make_shared<spdlog::logger>("raceway", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(make_formatter(logging));
  logger->set_level(to_spdlog(logging.level));
  spdlog::set_default_logger(std::move(logger));
}

std::shared_ptr<spdlog::logger> module_logger(std::string_view module) {
  // The clone shares the sink, and with it the formatter and the lock that keeps lines whole.
  return spdlog::default_logger()->clone(std::string(module));
}

}  // namespace raceway::server::observability
