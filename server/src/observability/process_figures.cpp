#include "observability/process_figures.hpp"

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "observability/families.hpp"

namespace raceway::server::observability {
namespace {

/// Taken when the program is loaded.
const double started_at = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();

}  // namespace

void append_process_figures(std::vector<prometheus::MetricFamily>& families) {
  append_gauge(families, "process_start_time_seconds", "When the process started, in seconds since 1970.", started_at);
  timespec used{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0) {
    append_counter(families, "process_cpu_seconds_total", "Processor time that the process has used.",
                   static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9);
  }
  double virtual_pages = 0;
  double resident_pages = 0;
  if (std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages) {
    append_gauge(families, "process_resident_memory_bytes", "Memory that the process occupies.",
                 resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (!error) {
    append_gauge(families, "process_open_fds", "Files and sockets that are open.",
                 static_cast<double>(std::distance(begin(files), end(files))));
  }
}

}  // namespace raceway::server::observability
