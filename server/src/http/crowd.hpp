// Who is connected: how many of each client, and who has idled for longest.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>

namespace raceway::server::http {

/// Of one thread.
class Crowd {
  struct Client;

 public:
  /// One connection's place in it. Stays where it is between enter() and leave().
  class Guest {
    friend class Crowd;
    Client* client_ = nullptr;
    std::list<Guest*>::iterator among_all_;
    std::list<Guest*>::iterator among_own_;
    bool idle_ = false;
  };

  /// As one that does not idle.
  void enter(Guest& guest, const std::string& client);
  void leave(Guest& guest) noexcept;

  /// It idles from now on, where it does not yet; or does not any more.
  void idle(Guest& guest);
  void busy(Guest& guest) noexcept;

  std::size_t count_of(const std::string& client) const;
  /// nullptr where nobody idles.
  Guest* longest_idle() const { return idle_.empty() ? nullptr : idle_.front(); }
  Guest* longest_idle_of(const std::string& client) const;

 private:
  struct Client {
    const std::string* name;
    std::size_t guests = 0;
    std::list<Guest*> idle;
  };
  std::unordered_map<std::string, Client> clients_;
  std::list<Guest*> idle_;  ///< the one that began first is first
};

}  // namespace raceway::server::http
