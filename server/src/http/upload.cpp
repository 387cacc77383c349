#include "http/upload.hpp"

#include <chrono>

#include "storage/storage.hpp"

namespace raceway::server::http {
namespace {

/// For a body whose length is announced, until more of it has come.
constexpr std::size_t first_room = 128 * 1024;

std::string in_bytes(std::size_t bytes) {
  return std::to_string(bytes) + " bytes";
}

}  // namespace

Upload::Upload(const Framing& framing, Encoding encoding, const Limits& limits, storage::ByteBudget& budget,
               SpareBuffers& buffers)
    : length_(static_cast<std::size_t>(framing.content_length)),
      limits_(limits),
      plain_(encoding == Encoding::identity && !framing.chunked),
      buffers_(buffers),
      held_(budget.hold()),
      decoder_(framing) {
  if (!plain_)
    sink_.emplace(encoding, limits.max_body_bytes, body_, limits.max_inflation,
                  [this](std::size_t bytes) { held_.set(bytes); });
}

Upload::~Upload() {
  buffers_.give(std::move(body_));
}

BodyDecoder Upload::decoder() const {
  if (!plain_) return decoder_;
  Framing rest;
  rest.content_length = length_ - received_;
  return BodyDecoder(rest);
}

Upload::State Upload::read(Connection& connection) {
  try {
    return read_some(connection);
  } catch (const storage::Unavailable& error) {
    return refuse(Refusal(503, error.told(), std::chrono::seconds(1)));
  }
}

/// As it grows there are two of it for a moment.
void Upload::resize(std::size_t bytes) {
  if (bytes > body_.capacity()) held_.set(body_.capacity() + bytes);
  body_.resize(bytes);
  held_.set(body_.capacity());
}

Upload::State Upload::read_some(Connection& connection) {
  return plain_ ? read_plain(connection) : read_encoded(connection);
}

/// Straight to where it is wanted.
Upload::State Upload::read_plain(Connection& connection) {
  // Not more than what came justifies: a length is easily said.
  const auto room_for = [this](std::size_t bytes) { return std::min(length_, std::max(first_room, bytes * 2)); };
  if (received_ == 0) {  // a buffer is taken for bytes, not for a promise
    const auto read = connection.buffered().empty() ? connection.read_available() : Connection::Read::some;
    if (read != Connection::Read::some) return end_of(connection, read);
    body_ = buffers_.take();
    resize(room_for(connection.buffered().size()));
  }
  const auto there = connection.buffered().substr(0, length_ - received_);
  if (body_.size() < received_ + there.size()) resize(room_for(received_ + there.size()));
  std::copy(there.begin(), there.end(), body_.begin() + static_cast<std::ptrdiff_t>(received_));
  connection.use(there.size());
  received_ += there.size();
  while (received_ < length_) {
    if (received_ == body_.size()) resize(room_for(received_));
    std::size_t got = 0;
    const auto read = connection.read_available_to(&body_[received_], body_.size() - received_, got);
    if (read != Connection::Read::some) return end_of(connection, read);
    received_ += got;
  }
  body_.resize(length_);
  return finish();
}

Upload::State Upload::read_encoded(Connection& connection) {
  for (;;) {
    connection.use(decoder_.feed(connection.buffered(), [this](std::string_view piece) { return take(piece); }));
    if (refusal_) return State::refused;
    if (decoder_.state() == BodyDecoder::State::malformed)
      return refuse(Refusal(400, "The body's chunks are malformed"));
    if (decoder_.state() == BodyDecoder::State::done) break;
    const auto read = connection.read_available();
    if (read != Connection::Read::some) return end_of(connection, read);
  }
  if (sink_->finish() == BodySink::Result::ok) return finish();
  return refuse(Refusal(400, "The body is not what its Content-Encoding says: it cannot be decompressed"));
}

bool Upload::take(std::string_view piece) {
  if (received_ == 0) {
    body_ = buffers_.take();
    body_.clear();
    held_.set(body_.capacity());
  }
  received_ += piece.size();
  const auto result = received_ > limits_.max_body_bytes ? BodySink::Result::too_large : sink_->append(piece);
  if (result == BodySink::Result::too_large)
    refuse(Refusal(413, "The body is larger than the limit of " + in_bytes(limits_.max_body_bytes)));
  if (result == BodySink::Result::too_inflated)
    refuse(Refusal(413, "The body inflates to more than " + std::to_string(limits_.max_inflation) +
                            " times what was sent; send it less compressed"));
  if (result == BodySink::Result::corrupt)
    refuse(Refusal(400, "The body is not what its Content-Encoding says: it cannot be decompressed"));
  return result == BodySink::Result::ok;
}

Upload::State Upload::end_of(Connection& connection, Connection::Read read) {
  if (read == Connection::Read::nothing_yet) return State::more;
  connection.abandon();
  return refuse(Refusal(400, "The body ended before its end"));
}

Upload::State Upload::refuse(Refusal refusal) {
  refusal_.emplace(std::move(refusal));
  return state_ = State::refused;
}

Upload::State Upload::finish() {
  leave_ = {};
  return state_ = State::done;
}

}  // namespace raceway::server::http
