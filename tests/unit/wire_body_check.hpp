// What must hold of any bytes that are sent as a body; for the unit tests and for the fuzzer in tests/fuzz.
#pragma once

#include <string>
#include <string_view>

#include "wire/batch.hpp"

namespace raceway::wire::test {

/// All that reading gives, as text; or the message of the BodyError it ends in.
std::string outcome_of(std::string_view body, const Reading& reading = {});

/// Reads `body`, stores what can be kept, and reads that back. Throws where something is amiss: an index without a
/// fate, a reason that is no text, an event that changes each time it is sent and read back, two ways of reading that
/// differ.
void check_body(std::string_view body);

}  // namespace raceway::wire::test
