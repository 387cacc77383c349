#include "moving/input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace raceway::server::moving {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 18U;
constexpr int gzip_window = 15 + 16;

}  // namespace

Input::Input(const std::string& path) : path_(path == "-" ? "stdin" : path), raw_(piece_size) {
  if (path != "-") {
    owned_ = http::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (owned_.get() < 0) throw std::runtime_error(path_ + " cannot be opened: " + std::strerror(errno));
    descriptor_ = owned_.get();
  }
  struct stat about = {};
  if (::fstat(descriptor_, &about) == 0 && S_ISREG(about.st_mode)) size_ = static_cast<std::uint64_t>(about.st_size);
  if (S_ISDIR(about.st_mode)) throw std::runtime_error(path_ + " is a directory");
}

Input::~Input() {
  if (compressed_) inflateEnd(&stream_);
}

/// Reads more of the file behind what is there; false at its end.
bool Input::fill() {
  if (raw_at_ > 0) {
    std::memmove(raw_.data(), raw_.data() + raw_at_, raw_end_ - raw_at_);
    raw_end_ -= raw_at_;
    raw_at_ = 0;
  }
  ssize_t got = 0;
  do {
    got = ::read(descriptor_, raw_.data() + raw_end_, raw_.size() - raw_end_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw std::runtime_error(path_ + " cannot be read: " + std::strerror(errno));
  raw_end_ += static_cast<std::size_t>(got);
  consumed_.fetch_add(static_cast<std::uint64_t>(got), std::memory_order_relaxed);
  return got > 0;
}

bool Input::read(std::string& piece) {
  if (damage_) return false;
  if (!started_) {
    while (raw_end_ < 2 && fill()) {
    }
    started_ = true;
    compressed_ = raw_end_ >= 2 && raw_[0] == '\x1f' && raw_[1] == '\x8b';
    if (compressed_ && inflateInit2(&stream_, gzip_window) != Z_OK) throw std::bad_alloc();
    in_member_ = compressed_;
  }
  if (compressed_) return inflate_some(piece);
  if (raw_at_ == raw_end_ && !fill()) return false;
  piece.assign(raw_.data() + raw_at_, raw_end_ - raw_at_);
  raw_at_ = raw_end_;
  return true;
}

bool Input::spoil(const std::string& what) {
  damage_ = "the gzip data " + what + " near byte " + std::to_string(consumed_ - (raw_end_ - raw_at_)) +
            " of the file, " + std::to_string(inflated_) + " bytes of text before it";
  return false;
}

bool Input::inflate_some(std::string& piece) {
  piece.resize(piece_size);
  std::size_t made = 0;
  while (made == 0) {
    if (raw_at_ == raw_end_ && !fill()) {
      piece.clear();
      return in_member_ ? spoil("is cut off") : false;
    }
    if (!in_member_) {
      // Another member, or the zeros that some tools fill up with.
      while (raw_at_ < raw_end_ && raw_[raw_at_] == '\0') ++raw_at_;
      if (raw_at_ == raw_end_) continue;
      if (inflateReset(&stream_) != Z_OK) return spoil("cannot be read");
      in_member_ = true;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(raw_.data() + raw_at_);
    stream_.avail_in = static_cast<uInt>(raw_end_ - raw_at_);
    stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream_.avail_out = static_cast<uInt>(piece.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    made = piece.size() - stream_.avail_out;
    inflated_ += made;
    raw_at_ = raw_end_ - stream_.avail_in;
    if (status == Z_STREAM_END) in_member_ = false;
    if (status != Z_STREAM_END && status != Z_OK && status != Z_BUF_ERROR) {
      spoil("is damaged");
      piece.resize(made);
      return made > 0;  // what was readable before the damage
    }
  }
  piece.resize(made);
  return true;
}

}  // namespace raceway::server::moving
