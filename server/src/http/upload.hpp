// A request's body on its way, read as it comes and never waited for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/allowance.hpp"
#include "http/connection.hpp"
#include "http/content.hpp"
#include "http/framing.hpp"
#include "http/message.hpp"
#include "http/server.hpp"
#include "http/spare_buffers.hpp"
#include "storage/byte_budget.hpp"

namespace raceway::server::http {

/// Of one thread at a time. Between two of its reads the connection is with the door, which waits for more.
class Upload {
 public:
  enum class State { more, done, refused };

  /// All of them outlive it.
  Upload(const Framing& framing, Encoding encoding, const Limits& limits, storage::ByteBudget& budget,
         SpareBuffers& buffers);
  ~Upload();
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  /// So much is held for anybody: whoever sends no more keeps nobody from sending.
  static constexpr std::size_t free_room = 64 * 1024;

  State state() const { return state_; }

  /// Reads what is there. `more` where the body's end has not come; `done` once it has; else refusal() says why.
  State read(Connection& connection);

  /// Whether it holds more than free_room, and nothing yet that allows it to.
  bool needs_leave() const { return !leave_ && std::max(received_, plain_ ? 0 : body_.size()) > free_room; }
  /// Until the body is there.
  void give_leave(Allowance::Hold leave) { leave_ = std::move(leave); }

  State refuse(Refusal refusal);
  /// After `refused`.
  const Refusal& refusal() const { return *refusal_; }
  /// After `done`: the body, decompressed.
  std::string take_body() { return std::move(body_); }
  /// And what it takes of the budget.
  storage::ByteBudget::Hold take_hold() { return std::move(held_); }
  /// How far its end has been looked for: what the connection has buffered comes next.
  BodyDecoder decoder() const;

 private:
  State read_some(Connection& connection);
  State read_plain(Connection& connection);
  void resize(std::size_t bytes);
  State read_encoded(Connection& connection);
  bool take(std::string_view piece);
  State end_of(Connection& connection, Connection::Read read);
  State finish();

  const std::size_t length_;  ///< of a plain body
  const Limits& limits_;
  const bool plain_;
  SpareBuffers& buffers_;
  storage::ByteBudget::Hold held_;
  std::string body_;
  std::size_t received_ = 0;  ///< bytes as sent
  BodyDecoder decoder_;
  std::optional<BodySink> sink_;  ///< of a body that is not plain
  Allowance::Hold leave_;
  State state_ = State::more;
  std::optional<Refusal> refusal_;
};

}  // namespace raceway::server::http
