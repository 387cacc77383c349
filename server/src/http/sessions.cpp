#include "http/sessions.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace raceway::server::http {
namespace {

/// A UUID of chance alone.
std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("OpenSSL has no random numbers");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0fU) | 0x40U);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3fU) | 0x80U);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string token;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) token += '-';
    token += digits[bytes[i] >> 4U];
    token += digits[bytes[i] & 0x0fU];
  }
  return token;
}

}  // namespace

Sessions::Sessions(const std::string& password) {
  if (!password.empty()) password_ = sha256(password);
}

Sessions::Login Sessions::login(std::string_view password) {
  const auto now = Clock::now();
  const std::scoped_lock lock(mutex_);
  if (now - failures_since_ > std::chrono::minutes(1)) {
    failures_since_ = now;
    failures_ = 0;
  }
  if (failures_ >= most_failures) return {Outcome::too_many, {}};
  if (!password_ || !equal_hashes(*password_, sha256(password))) {
    ++failures_;
    return {Outcome::wrong_password, {}};
  }
  std::erase_if(sessions_, [&](const auto& session) { return session.second <= now; });
  if (sessions_.size() >= most_sessions)
    sessions_.erase(std::ranges::min_element(sessions_, {}, [](const auto& session) { return session.second; }));
  const std::string token = random_token();
  sessions_[sha256(token)] = now + lifetime;
  return {Outcome::signed_in, token};
}

void Sessions::logout(std::string_view token) {
  const std::scoped_lock lock(mutex_);
  sessions_.erase(sha256(token));
}

bool Sessions::knows(std::string_view token) {
  const std::scoped_lock lock(mutex_);
  const auto session = sessions_.find(sha256(token));
  return session != sessions_.end() && session->second > Clock::now();
}

}  // namespace raceway::server::http
