#include "http/content.hpp"

#include <algorithm>
#include <new>

#include "http/text.hpp"

namespace raceway::server::http {

namespace {

std::string_view without_parameters(std::string_view content_type) {
  return trimmed(content_type.substr(0, content_type.find(';')));
}

}  // namespace

bool is_protobuf_type(std::string_view content_type) {
  const auto type = without_parameters(content_type);
  return equal_ignoring_case(type, "application/x-protobuf") || equal_ignoring_case(type, "application/protobuf");
}

bool is_json_type(std::string_view content_type) {
  const auto type = without_parameters(content_type);
  constexpr std::string_view suffix = "+json";
  return equal_ignoring_case(type, "application/json") ||
         (type.size() > suffix.size() && type.find('/') != std::string_view::npos &&
          equal_ignoring_case(type.substr(type.size() - suffix.size()), suffix));
}

std::optional<Encoding> parse_encoding(std::string_view content_encoding) {
  if (content_encoding.empty() || equal_ignoring_case(content_encoding, "identity")) return Encoding::identity;
  for (const std::string_view name : {"gzip", "x-gzip", "deflate"}) {
    if (equal_ignoring_case(content_encoding, name)) return Encoding::compressed;
  }
  return std::nullopt;
}

BodySink::BodySink(Encoding encoding, std::size_t limit, std::string& out, std::size_t inflation,
                   std::function<void(std::size_t)> room_for)
    : encoding_(encoding), limit_(limit), inflation_(inflation), out_(out), room_for_(std::move(room_for)) {}

BodySink::~BodySink() {
  if (started_) inflateEnd(&stream_);
}

BodySink::Result BodySink::append(std::string_view piece) {
  if (piece.empty()) return Result::ok;
  came_ += piece.size();
  if (encoding_ == Encoding::compressed) return inflate_piece(piece);
  if (piece.size() > limit_ - out_.size()) return Result::too_large;
  add(piece);
  return Result::ok;
}

void BodySink::add(std::string_view piece) {
  if (out_.size() + piece.size() > out_.capacity()) {
    // As it grows there are two of it for a moment.
    const std::size_t grown = std::max(out_.size() + piece.size(), std::min(limit_, out_.capacity() * 2));
    room_for_(out_.capacity() + grown);
    out_.reserve(grown);
    room_for_(out_.capacity());
  }
  out_.append(piece);
}

BodySink::Result BodySink::start_inflate(unsigned char first) {
  // "deflate" should be a zlib stream, and is a raw one from some clients: a zlib header's low four bits are 8.
  const bool raw = first != 0x1F && (first & 0x0F) != 8;
  const int bits = raw ? -MAX_WBITS : MAX_WBITS + 32;  // +32: zlib or gzip, told apart by zlib
  const int status = inflateInit2(&stream_, bits);
  if (status == Z_MEM_ERROR) throw std::bad_alloc();
  started_ = status == Z_OK;
  return started_ ? Result::ok : Result::corrupt;
}

BodySink::Result BodySink::inflate_piece(std::string_view piece) {
  if (!started_ && start_inflate(static_cast<unsigned char>(piece.front())) != Result::ok) return Result::corrupt;
  unsigned char window[64 * 1024];
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // zlib reads only
  stream_.avail_in = static_cast<uInt>(piece.size());
  do {
    if (ended_) {  // gzip members may follow one another
      if (stream_.avail_in == 0) break;
      if (inflateReset(&stream_) != Z_OK) return Result::corrupt;
      ended_ = false;
    }
    stream_.next_out = window;
    stream_.avail_out = sizeof window;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return Result::corrupt;
    const std::size_t produced = sizeof window - stream_.avail_out;
    if (produced > limit_ - out_.size()) return Result::too_large;
    add({reinterpret_cast<const char*>(window), produced});
    if (out_.size() > free_inflation && out_.size() / inflation_ > came_) return Result::too_inflated;
    ended_ = status == Z_STREAM_END;
  } while (stream_.avail_in > 0 || stream_.avail_out == 0);
  return Result::ok;
}

BodySink::Result BodySink::finish() {
  return encoding_ == Encoding::identity || ended_ ? Result::ok : Result::corrupt;
}

}  // namespace raceway::server::http
