// What must hold of any bytes that are sent as a body; for the unit tests and for the fuzzer in tests/fuzz.
#pragma once

#include <string_view>

namespace raceway::wire::test {

/// Reads `body`, stores what can be kept, and reads that back. Throws where something is amiss: an index without a
/// fate, a reason that is no text, an event that changes each time it is sent and read back, two ways of reading that
/// differ.
void check_body(std::string_view body);

}  // namespace raceway::wire::test
