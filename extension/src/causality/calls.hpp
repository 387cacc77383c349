// Who called whom: requests from one service, or one strand, to another.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "causality/happened_before.hpp"

namespace raceway::causality {

enum class CallKind : std::uint8_t { http, database, custom };
/// As the HTTP contract spells it: HttpCall, DatabaseQuery, Custom.
std::string_view name_of(CallKind kind);

/// So many calls of one service by another; numbers of names.
struct Calls {
  std::uint32_t from = 0;  ///< 0: the caller's span is not stored
  std::uint32_t to = 0;
  CallKind kind = CallKind::custom;
  std::uint64_t count = 0;
};

/// A span and the one upstream are one call, where they are of different strands; so is a parent link between events of
/// different services, unless their spans are one already. By the names of services, then kind.
std::vector<Calls> find_calls(const HappenedBefore& happened);

}  // namespace raceway::causality
