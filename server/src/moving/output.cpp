#include "moving/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>

namespace raceway::server::moving {
namespace {

constexpr std::size_t pending_size = std::size_t{1} << 18U;
constexpr int gzip_window = 15 + 16;
constexpr int memory_level = 8;

/// Whether it is something like /dev/null or a named pipe, which must not be replaced by a file.
bool is_special(const std::string& path) {
  struct stat about = {};
  return ::stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode);
}

}  // namespace

Output::Output(const std::string& path, bool compress) : path_(path), compress_(compress) {
  if (path != "-") {
    if (!is_special(path)) temporary_ = path + ".part";
    const auto& name = temporary_.empty() ? path_ : temporary_;
    owned_ = http::Descriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (owned_.get() < 0) throw std::runtime_error(name + " cannot be written: " + std::strerror(errno));
    descriptor_ = owned_.get();
  }
  if (compress_ && deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, memory_level,
                                Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  is_terminal_ = !compress_ && ::isatty(descriptor_) == 1;
  pending_.reserve(pending_size);
}

Output::~Output() {
  if (compress_) deflateEnd(&stream_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void Output::fail() const {
  throw std::runtime_error((path_ == "-" ? "stdout" : path_) + " cannot be written: " + std::strerror(errno));
}

void Output::write_raw(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t done = ::write(descriptor_, data, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail();
    data += done;
    size -= static_cast<std::size_t>(done);
  }
}

void Output::deflate_pending(int mode) {
  std::array<char, 65'536> packed;
  stream_.next_in = reinterpret_cast<Bytef*>(pending_.data());
  stream_.avail_in = static_cast<uInt>(pending_.size());
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream_, mode);
    write_raw(packed.data(), packed.size() - stream_.avail_out);
  } while (stream_.avail_out == 0);
  pending_.clear();
}

void Output::flush() {
  if (compress_) return deflate_pending(Z_NO_FLUSH);
  write_raw(pending_.data(), pending_.size());
  pending_.clear();
}

void Output::write(std::string_view text) {
  written_ += text.size();
  pending_ += text;
  if (pending_.size() >= pending_size) flush();
}

void Output::finish() {
  if (compress_) {
    deflate_pending(Z_FINISH);
  } else {
    flush();
  }
  if (temporary_.empty()) return;
  if (::fsync(descriptor_) != 0) fail();
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
  temporary_.clear();
}

}  // namespace raceway::server::moving
