// The memory storage and its snapshot's file.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>

#include "memory/memory_storage.hpp"
#include "memory/snapshot.hpp"
#include "memory/store.hpp"

namespace raceway::server::memory {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
  throw std::system_error(errno, std::generic_category(), file.string() + " " + what);
}

/// The bytes of a file, as long as this lives; nothing may shorten it meanwhile.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path) : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ < 0) {
      if (errno == ENOENT) return;
      fail(path, "cannot be read");
    }
    struct stat status = {};
    if (fstat(file_, &status) != 0) fail(path, "cannot be read");
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;
    bytes_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_, 0);
    if (bytes_ == MAP_FAILED) fail(path, "cannot be read");
  }
  ~MappedFile() {
    if (bytes_ != MAP_FAILED) munmap(bytes_, size_);
    if (file_ >= 0) close(file_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  bool exists() const { return file_ >= 0; }
  std::string_view view() const {
    return bytes_ == MAP_FAILED ? std::string_view{} : std::string_view(static_cast<const char*>(bytes_), size_);
  }

 private:
  int file_;
  std::size_t size_ = 0;
  void* bytes_ = MAP_FAILED;
};

/// Gives a file a name that no other has; answers it.
std::filesystem::path move_aside(const std::filesystem::path& file) {
  std::array<char, 32> time{};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::strftime(time.data(), time.size(), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &parts));
  const std::string wanted = fmt::format("{}.damaged-{}", file.string(), time.data());
  for (int attempt = 1; attempt <= 1'000; ++attempt) {
    std::filesystem::path aside = attempt == 1 ? wanted : fmt::format("{}-{}", wanted, attempt);
    // link() never replaces a file, as rename() would.
    if (link(file.c_str(), aside.c_str()) == 0) {
      if (unlink(file.c_str()) != 0) fail(file, "is damaged, and cannot be moved aside");
      return aside;
    }
    if (errno != EEXIST) break;
  }
  fail(file, "is damaged, and cannot be moved aside");
}

}  // namespace

std::string MemoryStorage::save(const std::filesystem::path& file) {
  const auto saved = save_snapshot(*store_, file);
  return fmt::format("{} traces with {} events, {} bytes", saved.traces, saved.events, saved.bytes);
}

std::string MemoryStorage::load(const std::filesystem::path& file, std::vector<std::string>& complaints) {
  LoadReport loaded;
  {
    const MappedFile mapped(file);
    if (!mapped.exists()) return "nothing, there is no such file yet";
    try {
      loaded = load_snapshot(*store_, mapped.view());
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(file.string() + " " + error.what());
    }
  }
  for (const auto& damage : loaded.damage) complaints.push_back(fmt::format("{}: {}", file.string(), damage));
  if (loaded.lost_traces > 0) {
    complaints.push_back(
        fmt::format("{}: {} traces are not whole and were left out", file.string(), loaded.lost_traces));
  }
  if (!complaints.empty()) {
    complaints.push_back(fmt::format("{} is kept as {}", file.string(), move_aside(file).string()));
  }
  return fmt::format("{} traces with {} events", loaded.traces, loaded.events);
}

}  // namespace raceway::server::memory
