#include "postgres/jsonb_order.hpp"

namespace raceway::postgres {
namespace {

using causality::Counter;
using causality::Order;

/// What two clocks were seen to be so far.
class Standing {
 public:
  void see(Counter in_a, Counter in_b) noexcept {
    a_greater_ |= in_a > in_b;
    b_greater_ |= in_b > in_a;
  }
  Order order() const noexcept {
    if (a_greater_) return b_greater_ ? Order::concurrent : Order::after;
    return b_greater_ ? Order::before : Order::equal;
  }

 private:
  bool a_greater_ = false;
  bool b_greater_ = false;
};

// Neither way is inlined: what one keeps in registers is then not spilt for the other.

/// How clocks with the same names stand, side by side without a look at a name.
[[gnu::noinline]] std::optional<Order> order_of_same_names(const JsonbView& object_a, const JsonbView& object_b,
                                                           std::uint32_t names_end) noexcept {
  Standing standing;
  JsonbChildren a = JsonbChildren::values_of(object_a, names_end);
  JsonbChildren b = JsonbChildren::values_of(object_b, names_end);
  std::uint32_t left = object_a.count();
  // As long as the entries are equal, counters stand in the same places in both.
  for (; left > 0 && a.entry() == b.entry(); --left) {
    JsonbChildren next_a = a;
    JsonbChildren next_b = b;
    const JsonbChild in_a = next_a.next();
    const JsonbChild in_b = next_b.follow(next_a);
    const std::uint32_t size = in_a.numeric_size();
    if (!in_a.is_numeric() || !is_small_counter(in_a.numeric(), size) || !is_small_counter(in_b.numeric(), size)) break;
    standing.see(small_counter_rank(in_a.numeric(), size), small_counter_rank(in_b.numeric(), size));
    a = next_a;
    b = next_b;
  }
  for (; left > 0; --left) {
    Counter in_a = 0;
    Counter in_b = 0;
    if (!a.next().read(in_a) || !b.next().read(in_b)) return std::nullopt;
    standing.see(in_a, in_b);
  }
  return standing.order();
}

/// How any two clocks stand: a merge walk over their names.
[[gnu::noinline]] std::optional<Order> order_by_names(const JsonbView& object_a, const JsonbView& object_b) noexcept {
  Standing standing;
  JsonbCursor a(object_a);
  JsonbCursor b(object_b);
  while (!a.done() && !b.done()) {
    const auto names = causality::compare_names(a.name(), b.name());
    Counter in_a = 0;
    Counter in_b = 0;
    if (names <= 0) {
      if (!a.read(in_a)) return std::nullopt;
      a.next();
    }
    if (names >= 0) {
      if (!b.read(in_b)) return std::nullopt;
      b.next();
    }
    standing.see(in_a, in_b);
  }
  Counter counter = 0;
  for (; !a.done(); a.next()) {
    if (!a.read(counter)) return std::nullopt;
    standing.see(counter, 0);
  }
  for (; !b.done(); b.next()) {
    if (!b.read(counter)) return std::nullopt;
    standing.see(0, counter);
  }
  return standing.order();
}

}  // namespace

std::optional<Order> order_of(const JsonbView& a, const JsonbView& b) noexcept {
  if (!a.is_object() || !b.is_object()) return std::nullopt;
  JsonbView::prefetch(a, b);
  const std::uint32_t names_end = a.end_of_names();
  return a.shares_names_with(b, names_end) ? order_of_same_names(a, b, names_end) : order_by_names(a, b);
}

}  // namespace raceway::postgres
