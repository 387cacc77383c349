// Vector clocks: what one is, how its components are ordered, how two of them compare.
//
// A clock maps components (names of processes, threads, services) to counters. A missing component is 0, so a stored
// zero says nothing. a before b: every counter of a is <= b's and one is smaller (Fidge 1988, Mattern 1988).
//
// Components are kept in the order in which PostgreSQL's jsonb keeps keys (shorter first, then bytes), so that any two
// clocks, wherever they are stored, compare by one merge walk without building anything.
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <string_view>

#include "causality/order.hpp"

namespace raceway::causality {

/// 0 to 2^64-1, exactly.
using Counter = std::uint64_t;

/// One entry of a clock. Does not own its name.
struct Component {
  std::string_view name;
  Counter counter = 0;

  friend bool operator==(const Component&, const Component&) = default;
};

/// The order of component names in a clock: shorter first, then by bytes.
inline std::strong_ordering compare_names(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

/// A walk over a clock's components in the order of their names, each name once.
/// `done()` first; while it is false, `name()` and `counter()` describe the current component.
template <class T>
concept ClockCursor = requires(T cursor, const T constant) {
  { constant.done() } -> std::convertible_to<bool>;
  { constant.name() } -> std::convertible_to<std::string_view>;
  { constant.counter() } -> std::convertible_to<Counter>;
  cursor.next();
};

/// A cursor over components that already stand in order (any contiguous range of Component).
class SpanCursor {
 public:
  SpanCursor(const Component* begin, const Component* end) : at_(begin), end_(end) {}
  bool done() const { return at_ == end_; }
  std::string_view name() const { return at_->name; }
  Counter counter() const { return at_->counter; }
  void next() { ++at_; }

 private:
  const Component* at_;
  const Component* end_;
};

/// Visits the components of two clocks side by side, in their order: `visit(name, in_a, in_b)` with 0 for the counter
/// of a clock that lacks the component. Ends early where `visit` answers false; answers whether it went to the end.
template <ClockCursor A, ClockCursor B, class Visit>
bool walk_together(A a, B b, Visit visit) {
  while (!a.done() || !b.done()) {
    const auto names = a.done() || b.done() ? std::strong_ordering::equal : compare_names(a.name(), b.name());
    const bool in_turn_a = !a.done() && (b.done() || names <= 0);
    const bool in_turn_b = !b.done() && (a.done() || names >= 0);
    const std::string_view name = in_turn_a ? a.name() : b.name();
    const Counter in_a = in_turn_a ? Counter{a.counter()} : 0;
    const Counter in_b = in_turn_b ? Counter{b.counter()} : 0;
    if (!visit(name, in_a, in_b)) return false;
    if (in_turn_a) a.next();
    if (in_turn_b) b.next();
  }
  return true;
}

/// How the clock under `a` stands to the clock under `b`. One pass, no allocation, ends as soon as the answer is known.
template <ClockCursor A, ClockCursor B>
Order compare(A a, B b) {
  bool a_greater = false;
  bool b_greater = false;
  const bool ordered = walk_together(a, b, [&](std::string_view, Counter in_a, Counter in_b) {
    a_greater |= in_a > in_b;
    b_greater |= in_b > in_a;
    return !(a_greater && b_greater);
  });
  if (!ordered) return Order::concurrent;
  if (a_greater) return Order::after;
  return b_greater ? Order::before : Order::equal;
}

}  // namespace raceway::causality
