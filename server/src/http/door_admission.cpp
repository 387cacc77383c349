// Who is let in by the door, at whose cost, and what the others are told.
#include <sys/epoll.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "http/address.hpp"
#include "http/door.hpp"

namespace raceway::server::http {
namespace {

/// Connections over the limit that may be told so at the same time.
constexpr std::size_t max_turned_away = 256;

}  // namespace

void Door::accept_all() {
  for (int i = 0; i < 64; ++i) {  // then the others have their turn; what is left is reported again
    auto arrival = next_arrival();
    if (!arrival) return;
    ++accepted_;
    const bool last = arrival->last;
    admit(std::move(*arrival));
    if (last) acceptor_.resume(Clock::now());
  }
}

/// Where no descriptor is left, at the cost of a connection that idles, or else to be told so.
std::optional<Acceptor::Arrival> Door::next_arrival() {
  auto arrival = acceptor_.next(Clock::now());
  if (arrival || !acceptor_.out_of_files()) return arrival;
  ++out_of_files_;
  note(told_of_files_,
       "connections found no file descriptor left in this process: raise its limit of open files "
       "(LimitNOFILE of systemd, ulimit -n), or lower server.max_connections");
  if (replace(crowd_.longest_idle())) arrival = acceptor_.next(Clock::now());
  return arrival ? std::move(arrival) : acceptor_.next_by_spare(Clock::now());
}

void Door::admit(Acceptor::Arrival arrival) {
  const auto network = client_network(arrival.peer);
  if (!make_room(arrival, network)) return;
  auto& client = add(std::move(arrival));
  guarded(&client, [&] {
    crowd_.enter(client, network);
    on_event(client);  // mostly the request is there already
  });
}

/// For one more connection, where need be at the cost of one that idles; false where it had to be turned away.
bool Door::make_room(Acceptor::Arrival& arrival, const std::string& network) {
  const auto share = share_.of(limits_.max_connections, arrival.peer, arrival.peer);
  if (share < limits_.max_connections && crowd_.count_of(network) >= share &&
      !replace(crowd_.longest_idle_of(network))) {
    ++over_share_;
    note(told_of_share_,
         "connections refused, for their client had its share of server.max_connections (see "
         "server.max_connections_per_address); the last from " +
             arrival.peer);
    turn_away(std::move(arrival), 429, "Too many connections from your address at the moment; try again");
    return false;
  }
  const bool full = clients_.size() - turned_away_ >= limits_.max_connections;
  if (!arrival.last && (!full || replace(crowd_.longest_idle()))) return true;
  if (!arrival.last)
    note(told_of_crowd_, "connections refused, for there were as many as server.max_connections, and none was idle");
  turn_away(std::move(arrival), 503, "Too many connections at the moment; try again");
  return false;
}

bool Door::replace(Crowd::Guest* idle) {
  if (idle == nullptr) return false;
  ++replaced_;
  close(static_cast<Client&>(*idle));
  return true;
}

/// It is told why, and may read it, unless there are too many to be told.
void Door::turn_away(Acceptor::Arrival arrival, int status, std::string_view reason) {
  ++refused_connections_;
  const bool may_linger = !arrival.last && turned_away_ < max_turned_away;
  auto& client = add(std::move(arrival));
  client.turned_away = true;
  ++turned_away_;
  guarded(&client, [&] {
    tell(client, status, reason);
    may_linger ? linger(client) : close(client);
  });
}

Door::Client& Door::add(Acceptor::Arrival arrival) {
  auto& client = clients_.emplace_back(std::move(arrival.socket), std::move(arrival.peer), limits_, buffers_);
  client.self = std::prev(clients_.end());
  open_ = clients_.size();
  client.deadline = Clock::now() + limits_.keep_alive;
  client.connection.begin_request(Clock::now());
  epoll_event event{};
  event.events = EPOLLONESHOT;
  event.data.ptr = &client;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.connection.socket(), &event) == 0) return client;
  const int error = errno;
  close(client);
  throw std::system_error(error, std::generic_category(), "epoll_ctl");
}

void Door::note(observability::Rarely& kind, std::string_view what) {
  if (!hooks_.notice) return;
  if (const auto times = kind.count()) hooks_.notice(std::to_string(*times) + " " + std::string(what));
}

}  // namespace raceway::server::http
