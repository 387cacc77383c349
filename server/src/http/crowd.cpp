#include "http/crowd.hpp"

namespace raceway::server::http {

void Crowd::enter(Guest& guest, const std::string& client) {
  const auto entry = clients_.try_emplace(client).first;
  entry->second.name = &entry->first;
  ++entry->second.guests;
  guest.client_ = &entry->second;
}

void Crowd::leave(Guest& guest) noexcept {
  if (guest.client_ == nullptr) return;
  busy(guest);
  if (--guest.client_->guests == 0) clients_.erase(clients_.find(*guest.client_->name));
  guest.client_ = nullptr;
}

void Crowd::idle(Guest& guest) {
  if (guest.idle_ || guest.client_ == nullptr) return;
  auto& own = guest.client_->idle;
  guest.among_own_ = own.insert(own.end(), &guest);
  try {
    guest.among_all_ = idle_.insert(idle_.end(), &guest);
  } catch (...) {
    own.pop_back();
    throw;
  }
  guest.idle_ = true;
}

void Crowd::busy(Guest& guest) noexcept {
  if (!guest.idle_) return;
  guest.client_->idle.erase(guest.among_own_);
  idle_.erase(guest.among_all_);
  guest.idle_ = false;
}

std::size_t Crowd::count_of(const std::string& client) const {
  const auto entry = clients_.find(client);
  return entry == clients_.end() ? 0 : entry->second.guests;
}

Crowd::Guest* Crowd::longest_idle_of(const std::string& client) const {
  const auto entry = clients_.find(client);
  return entry == clients_.end() || entry->second.idle.empty() ? nullptr : entry->second.idle.front();
}

}  // namespace raceway::server::http
