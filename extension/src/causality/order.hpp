// The four ways in which two events, or two vector clocks, can stand to each other.
#pragma once

#include <string_view>

namespace raceway::causality {

enum class Order { before, after, equal, concurrent };

/// The word for an order, as SQL, JSON and the documentation spell it: "before", "after", "equal", "concurrent".
constexpr std::string_view name_of(Order order) {
  switch (order) {
    case Order::before:
      return "before";
    case Order::after:
      return "after";
    case Order::equal:
      return "equal";
    case Order::concurrent:
      return "concurrent";
  }
  return "concurrent";
}

}  // namespace raceway::causality
