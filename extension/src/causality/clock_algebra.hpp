// What can be made of clocks besides comparing them. Each operation is one walk over cursors into a sink, so that jsonb
// in the database and packed clocks in memory share it.
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

#include "causality/clock.hpp"
#include "causality/clock_error.hpp"

namespace raceway::causality {

/// The sum of all counters of a clock can be more than one counter holds.
__extension__ using CounterSum = unsigned __int128;

/// Takes the components of a clock in their order, each name once, no counter 0. The names live as long as the clocks
/// that they come from.
template <class T>
concept ClockSink = requires(T sink, std::string_view name, Counter counter) {
  sink.add(name, counter);  // whatever it returns
};

/// The least clock that neither is after: the larger counter of each component.
template <ClockCursor A, ClockCursor B, ClockSink Sink>
void merge(A a, B b, Sink& sink) {
  walk_together(a, b, [&](std::string_view name, Counter in_a, Counter in_b) {
    const Counter larger = in_a > in_b ? in_a : in_b;
    if (larger > 0) sink.add(name, larger);
    return true;
  });
}

/// The greatest clock that neither is before: the smaller counter of each component.
template <ClockCursor A, ClockCursor B, ClockSink Sink>
void meet(A a, B b, Sink& sink) {
  walk_together(a, b, [&](std::string_view name, Counter in_a, Counter in_b) {
    const Counter smaller = in_a < in_b ? in_a : in_b;
    if (smaller > 0) sink.add(name, smaller);
    return true;
  });
}

/// By how much `a` is ahead of `b` in each component where it is: nothing if and only if a is before b or equal.
template <ClockCursor A, ClockCursor B, ClockSink Sink>
void difference(A a, B b, Sink& sink) {
  walk_together(a, b, [&](std::string_view name, Counter in_a, Counter in_b) {
    if (in_a > in_b) sink.add(name, in_a - in_b);
    return true;
  });
}

/// `a` grown by `steps`. Throws InvalidClock where a counter would pass 2^64-1.
template <ClockCursor A, ClockCursor B, ClockSink Sink>
void advance(A a, B steps, Sink& sink) {
  walk_together(a, steps, [&](std::string_view name, Counter in_a, Counter by) {
    const Counter grown = in_a + by;
    if (grown < in_a) throw counter_overflow(name, by);
    if (grown > 0) sink.add(name, grown);
    return true;
  });
}

/// `a` without the components that `excluded` has (with a counter above 0).
template <ClockCursor A, ClockCursor B, ClockSink Sink>
void without(A a, B excluded, Sink& sink) {
  walk_together(a, excluded, [&](std::string_view name, Counter in_a, Counter in_excluded) {
    if (in_a > 0 && in_excluded == 0) sink.add(name, in_a);
    return true;
  });
}

/// The counter of one component: 0 where the clock lacks it.
template <ClockCursor A>
Counter counter_of(A a, std::string_view name) {
  for (; !a.done(); a.next()) {
    const auto order = compare_names(a.name(), name);
    if (order == 0) return a.counter();
    if (order > 0) break;
  }
  return 0;
}

/// The number of components with a counter above 0.
template <ClockCursor A>
std::size_t size(A a) {
  std::size_t components = 0;
  for (; !a.done(); a.next()) components += a.counter() > 0 ? 1 : 0;
  return components;
}

template <ClockCursor A>
CounterSum sum(A a) {
  CounterSum total = 0;
  for (; !a.done(); a.next()) total += a.counter();
  return total;
}

/// An order in which any set of clocks can be sorted: by the first component in which they differ. A clock that is
/// before another one stands before it here, too.
template <ClockCursor A, ClockCursor B>
std::strong_ordering compare_in_total_order(A a, B b) {
  auto order = std::strong_ordering::equal;
  walk_together(a, b, [&](std::string_view, Counter in_a, Counter in_b) {
    order = in_a <=> in_b;
    return order == 0;
  });
  return order;
}

/// Puts components that stand in any order into a clock's: sorted, the larger counter of a name that is given twice, no
/// zeros. Works in place and answers how many are left, from the front. Allocates nothing, throws nothing.
std::size_t normalize(std::span<Component> components) noexcept;

}  // namespace raceway::causality
