// What the memory store takes for the recorded SDK traffic, multiplied: resident bytes an event, and what for.
//   memory_bytes [EVENTS [EVENTS_IN_BODY [DIRECTORY [LIST]]]]     1000000 100 tests/data/sdk 1
// LIST 0: the list of traces is never asked for, so its order is never built.
// One line: resident=<bytes an event> heap=<...> records=<...> index=<...> traces=<...> shared=<...> events=<...>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

#include "memory/memory_storage.hpp"
#include "traffic.hpp"

namespace raceway::bench {
namespace {

using server::memory::MemoryStorage;

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void post(MemoryStorage& storage, const Traffic& traffic, const Stream& stream) {
  Body body;
  EventOf next{stream.first_copy, 0};
  for (std::size_t left = stream.events; left > 0; left -= body.size()) {
    body.clear();
    while (body.size() < std::min(left, stream.events_in_body)) {
      body.push_back(next);
      if (++next.index == traffic.events_in_copy()) next = {next.copy + 1, 0};
    }
    const auto json = json_of(traffic, body);
    const auto result = storage.ingest({json}).at(0);
    if (result.stored != body.size()) throw std::runtime_error("an event of a fresh copy was not stored");
  }
}

void measure(const Traffic& traffic, const Stream& stream, bool list) {
  {
    MemoryStorage warm_up;  // what the parser keeps for itself is not the store's
    post(warm_up, traffic, {0, 1, stream.events_in_body, stream.events_in_body});
  }
  malloc_trim(0);
  const std::size_t before = resident_bytes();
  MemoryStorage storage;
  post(storage, traffic, stream);
  if (list && storage.list_traces({}, 1, 1).total == 0) throw std::runtime_error("no traces");
  const std::size_t resident = resident_bytes() - before;
  const auto usage = storage.usage();
  const auto each = [&](std::size_t bytes) { return static_cast<double>(bytes) / static_cast<double>(stream.events); };
  std::printf("resident=%.1f heap=%.1f records=%.1f index=%.1f traces=%.1f shared=%.1f events=%zu\n", each(resident),
              each(usage.total()), each(usage.records), each(usage.index), each(usage.traces), each(usage.shared),
              stream.events);
}

}  // namespace
}  // namespace raceway::bench

int main(int argc, char** argv) {
  try {
    const auto argument = [&](int at, const char* otherwise) { return std::string(argc > at ? argv[at] : otherwise); };
    raceway::bench::Stream stream;
    stream.events = std::stoul(argument(1, "1000000"));
    stream.events_in_body = std::stoul(argument(2, "100"));
    raceway::bench::measure(raceway::bench::Traffic(argument(3, "tests/data/sdk"), 60), stream,
                            argument(4, "1") != "0");
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "memory_bytes: " << error.what() << '\n';
    return 1;
  }
}
