// The SQL functions happens_before(), causal_order(), causal_edges() and explain_order().
#include <vector>

#include "causality/explain.hpp"
#include "postgres/analysis.hpp"

namespace raceway::postgres {
namespace {

using causality::none;
using causality::Order;

void add_order(TraceReading& trace, ResultRows& rows) {
  trace.happened().walk([&](const causality::Step& step) {
    const auto& origin = trace.events().origin(step.event);
    const auto clock = step.clock();
    rows.add({Value::integer(trace.happened().place(step.event) + 1), Value::text(trace.id(step.event)),
              Value::integer(step.spot.line + 1), Value::integer(step.spot.position),
              Value::name(trace.name(origin.service)), Value::name(trace.name(origin.thread)), Value::clock(clock)});
    return true;
  });
}

void add_edges(TraceReading& trace, ResultRows& rows) {
  trace.happened().each_edge([&](const causality::CausalEdge& edge, bool kept) {
    rows.add({Value::text(trace.id(edge.from)), Value::text(trace.id(edge.to)),
              Value::text(causality::name_of(edge.reason)), Value::flag(kept)});
    return true;
  });
}

/// A shortest chain from one event to another; its first one where `with_first`.
void add_chain(const TraceReading& trace, ResultRows& rows, std::uint32_t from, std::uint32_t to, Value branch,
               bool with_first) {
  const auto chain = causality::shortest_chain(trace.happened(), from, to);
  for (std::uint32_t step = with_first ? 0 : 1; step < chain.size(); ++step) {
    rows.add({Value::integer(step), Value::text(trace.id(chain[step].event)),
              step == 0 ? Value::null() : Value::text(causality::name_of(chain[step].reason)), branch});
  }
}

void add_branches(const TraceReading& trace, ResultRows& rows, std::uint32_t a, std::uint32_t b) {
  const causality::EventPair pair = {a, b};
  const std::uint32_t common = causality::find_witnesses(trace.happened(), {&pair, 1}).front().last_common;
  if (common == none) {
    // Nothing is before both: each is a branch by itself.
    rows.add({Value::integer(1), Value::text(trace.id(a)), Value::null(), Value::text("a")});
    rows.add({Value::integer(1), Value::text(trace.id(b)), Value::null(), Value::text("b")});
    return;
  }
  rows.add({Value::integer(0), Value::text(trace.id(common)), Value::null(), Value::null()});
  add_chain(trace, rows, common, a, Value::text("a"), false);
  add_chain(trace, rows, common, b, Value::text("b"), false);
}

void add_explanation(const TraceReading& trace, ResultRows& rows, std::uint32_t a, std::uint32_t b) {
  switch (trace.happened().compare(a, b)) {
    case Order::before:
      return add_chain(trace, rows, a, b, Value::null(), true);
    case Order::after:
      return add_chain(trace, rows, b, a, Value::null(), true);
    case Order::equal:
      return rows.add({Value::integer(0), Value::text(trace.id(a)), Value::null(), Value::null()});
    case Order::concurrent:
      return add_branches(trace, rows, a, b);
  }
}

}  // namespace

RACEWAY_FUNCTION(raceway_happens_before) {
  const std::string_view name = text_argument(fcinfo, 0);
  const std::string_view a = text_argument(fcinfo, 1);
  const std::string_view b = text_argument(fcinfo, 2);
  SPI_connect();
  Order order = Order::concurrent;
  {
    const TraceReading trace(name);
    const std::uint32_t event_a = trace.find(a);
    order = trace.happened().compare(event_a, trace.find(b));
  }
  SPI_finish();
  const std::string_view word = causality::name_of(order);
  return text_datum(word);
}

RACEWAY_FUNCTION(raceway_causal_order) {
  return answer_rows(fcinfo, add_order);
}

RACEWAY_FUNCTION(raceway_causal_edges) {
  return answer_rows(fcinfo, add_edges);
}

RACEWAY_FUNCTION(raceway_explain_order) {
  const std::string_view a = text_argument(fcinfo, 1);
  const std::string_view b = text_argument(fcinfo, 2);
  return answer_rows(fcinfo, [&](const TraceReading& trace, ResultRows& rows) {
    const std::uint32_t event_a = trace.find(a);
    add_explanation(trace, rows, event_a, trace.find(b));
  });
}

}  // namespace raceway::postgres
