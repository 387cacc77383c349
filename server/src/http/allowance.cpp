#include "http/allowance.hpp"

#include <algorithm>

namespace raceway::server::http {

std::size_t FairShare::of(std::size_t all, std::string_view client, std::string_view peer) const {
  constexpr std::size_t usual = 4;  // a quarter
  const auto given = limits_.connections_per_address;
  if ((client == peer && proxies_.trusts(peer)) || (given == 0 && is_loopback(client))) return all;
  const auto share = given == 0 ? all / usual : all * given / std::max<std::size_t>(1, limits_.max_connections);
  return std::clamp<std::size_t>(share, 1, std::max<std::size_t>(1, all));
}

Allowance::Hold Allowance::take(const std::string& client, std::size_t share) {
  const std::lock_guard lock(mutex_);
  if (taken_ >= most_) return {};
  auto& own = by_client_[client];
  if (own >= share) return {};
  Hold hold(*this, client);
  ++own;
  ++taken_;
  return hold;
}

void Allowance::give_back(const std::string& client) noexcept {
  const std::lock_guard lock(mutex_);
  const auto own = by_client_.find(client);
  if (--own->second == 0) by_client_.erase(own);
  --taken_;
}

}  // namespace raceway::server::http
