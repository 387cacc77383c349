#include "moving/shiviz_clock.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "causality/clock_algebra.hpp"
#include "moving/shiviz_text.hpp"
#include "wire/errors.hpp"
#include "wire/event_parts.hpp"
#include "wire/json_reader.hpp"
#include "wire/timestamp.hpp"

namespace raceway::server::moving {
namespace {

/// Milliseconds beyond which times no longer rise: some three thousand years.
constexpr std::uint64_t latest_time = 100'000'000'000'000;

constexpr std::size_t digest_bytes = 16;  // no two of 2^40 events share one, but for one chance in 2^48
constexpr std::size_t longest_host = 160;

/// Quotes as they were before they were escaped.
std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '"') continue;
    out += text[at];
  }
  return out;
}

/// Text of which no two lists give the same.
void append_part(std::string& out, std::string_view part) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

std::string hex_digest(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 cannot be computed");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (std::size_t at = 0; at < digest_bytes; ++at) hex += {digits[digest[at] >> 4U], digits[digest[at] & 15U]};
  return hex;
}

}  // namespace

LogClock::LogClock(std::string_view written, bool is_own) {
  try {
    read(written, is_own);
  } catch (const std::runtime_error&) {
    try {
      read(without_escapes(written), is_own);
    } catch (const std::runtime_error&) {
      json_.clear();
    }
  }
}

/// Leaves nothing where it is JSON, but no object. Throws std::runtime_error where it is no JSON.
void LogClock::read(std::string_view written, bool is_own) {
  json_.assign(written);
  wire::Json json = wire::read_json(json_, arena_);
  if (!json.is(wire::Json::Type::object)) return json_.clear();
  if (is_own && json_.find('%') != std::string::npos) {
    std::string plain = "{";
    for (const auto& component : json.as_object()) {
      if (plain.size() > 1) plain += ',';
      wire::append_json_string(plain, unescaped(component.key()));
      plain += ':';
      wire::append_json(plain, component.value);
    }
    json_ = plain + '}';
    json = wire::read_json(json_, arena_);
  }
  try {
    for (const auto& component : wire::read_clock(json, "vector_clock", arena_).components) {
      if (component.counter > 0) components_.push_back(component);
    }
  } catch (const wire::EventError&) {
    components_.clear();  // whoever takes the event refuses it with this reason
  }
}

causality::Counter LogClock::counter_of(std::string_view host) const {
  const auto found = std::ranges::find(components_, host, &causality::Component::name);
  return found == components_.end() ? 0 : found->counter;
}

wire::Micros LogClock::time() const {
  const causality::SpanCursor cursor(components_.data(), components_.data() + components_.size());
  const auto sum = std::min<causality::CounterSum>(causality::sum(cursor), latest_time);
  return wire::unix_epoch + static_cast<wire::Micros>(sum) * 1'000;
}

std::string LogIdentities::id_of(std::string_view trace, std::string_view host, const LogClock& clock,
                                 const Groups& groups) {
  std::string text;
  append_part(text, trace);
  append_part(text, host);
  append_part(text, std::to_string(clock.components().size()));
  for (const auto& component : clock.components()) {
    append_part(text, component.name);
    append_part(text, std::to_string(component.counter));
  }
  for (const auto& [name, value] : groups) {
    if (name == "host" || name == "clock") continue;
    append_part(text, name);
    append_part(text, value);
  }
  const auto own = host.empty() ? 0 : clock.counter_of(host);
  auto digest = hex_digest(text);
  auto shown = std::string(host.substr(0, longest_host));
  while (!shown.empty() && shown.size() < host.size() && (host[shown.size()] & '\xC0') == '\x80') shown.pop_back();
  if (own > 0) return shown + ':' + std::to_string(own) + ':' + digest;
  const auto place = ++seen_[digest];
  return shown + ":-:" + digest + (place > 1 ? ":" + std::to_string(place) : "");
}

}  // namespace raceway::server::moving
