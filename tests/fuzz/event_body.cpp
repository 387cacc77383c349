// The fuzzer's way into the reading of bodies; see README.md beside it.
#include <cstddef>
#include <cstdint>

#include "wire_body_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  raceway::wire::test::check_body({reinterpret_cast<const char*>(data), size});
  return 0;
}
