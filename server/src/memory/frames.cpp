#include "memory/frames.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "storage/keyed_hash.hpp"

namespace raceway::server::memory {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they stand in memory");

constexpr std::size_t buffer_size = std::size_t{1} << 20U;

struct Header {
  std::array<char, 4> magic;
  FrameType type;
  std::uint64_t length;
  std::uint64_t payload_checksum;
  std::uint64_t header_checksum;
};
static_assert(sizeof(Header) == 32);

/// No secret: it is to notice damage, not malice.
constexpr storage::HashKey checksum_key{0x7261636577617920U, 0x736e617073686f74U};

std::uint64_t checksum(std::string_view bytes) {
  return storage::sip_hash(checksum_key, bytes);
}

std::string_view bytes_of(const Header& header) {
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

std::uint64_t checksum_of(const Header& header) {
  return checksum(bytes_of(header).substr(0, offsetof(Header, header_checksum)));
}

Header header_at(std::string_view file, std::size_t at) {
  Header header{};
  std::memcpy(&header, file.data() + at, sizeof header);
  return header;
}

}  // namespace

FrameFile::FrameFile(std::filesystem::path path)
    : path_(std::move(path)),
      unfinished_(path_.string() + ".new"),
      file_(open(unfinished_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR)) {
  if (file_ < 0) fail("cannot be made");
  buffer_.reserve(buffer_size);
}

FrameFile::~FrameFile() {
  if (file_ < 0) return;
  close(file_);
  unlink(unfinished_.c_str());
}

void FrameFile::fail(const char* what) const {
  throw std::system_error(errno, std::generic_category(), unfinished_.string() + " " + what);
}

void FrameFile::put(FrameType type, std::string_view payload) {
  Header header{{}, type, payload.size(), checksum(payload), 0};
  frame_magic.copy(header.magic.data(), header.magic.size());
  header.header_checksum = checksum_of(header);
  write(bytes_of(header));
  write(payload);
}

void FrameFile::write(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, buffer_size - buffer_.size());
    buffer_ += part;
    bytes.remove_prefix(part.size());
    if (buffer_.size() == buffer_size) flush();
  }
}

void FrameFile::flush() {
  for (std::string_view left = buffer_; !left.empty();) {
    const ssize_t written = ::write(file_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written");
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

void FrameFile::finish() {
  flush();
  if (fsync(file_) != 0) fail("cannot be brought to the disk");
  if (rename(unfinished_.c_str(), path_.c_str()) != 0) fail("cannot be given its name");
  close(std::exchange(file_, -1));
  // The name, too, is to outlive a crash. Not every file system can be asked for it.
  const auto directory = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  const int opened = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return;
  fsync(opened);
  close(opened);
}

bool FrameReader::is_header(std::size_t at) const {
  if (file_.size() - at < sizeof(Header) || !file_.substr(at).starts_with(frame_magic)) return false;
  const Header header = header_at(file_, at);
  return header.header_checksum == checksum_of(header);
}

void FrameReader::skip_to_header() {
  const std::size_t from = at_;
  do {
    at_ = file_.find(frame_magic, at_ + 1);
  } while (at_ != std::string_view::npos && !is_header(at_));
  if (at_ == std::string_view::npos) at_ = file_.size();
  damage_.push_back(fmt::format("bytes {} to {} are damaged", from, at_ - 1));
}

std::optional<Frame> FrameReader::next() {
  while (at_ < file_.size()) {
    if (!is_header(at_)) {
      skip_to_header();
      continue;
    }
    const Header header = header_at(file_, at_);
    const std::size_t begin = at_ + sizeof header;
    if (header.length > file_.size() - begin) {
      damage_.push_back(fmt::format("it ends at byte {}, inside of what begins at byte {}", file_.size(), at_));
      at_ = file_.size();
      return std::nullopt;
    }
    const std::string_view payload = file_.substr(begin, header.length);
    const std::size_t end = begin + payload.size();
    if (checksum(payload) == header.payload_checksum) {
      at_ = end;
      return Frame{header.type, payload};
    }
    damage_.push_back(fmt::format("bytes {} to {} are damaged", at_, end - 1));
    at_ = end;
  }
  return std::nullopt;
}

}  // namespace raceway::server::memory
