#include "causality/explain.hpp"

#include <iostream>
#include <stdexcept>
#include <string>

#include "analysis/event_details.hpp"
#include "analysis/trace_analysis.hpp"
#include "races/races.hpp"
#include "races/reading.hpp"
#include "storage/byte_budget.hpp"
#include "terminal/for_terminal.hpp"

namespace raceway::server::races {
namespace {

using causality::ChainLink;
using causality::Order;
using causality::Reason;

std::string told(const analysis::EventDetails& event) {
  std::string text = event.id + "  " + event.kind + " at " + event.location;
  if (!event.service.empty()) text += "  " + event.service;
  if (!event.thread.empty()) text += " / " + event.thread;
  return text;
}

std::string because(Reason reason) {
  switch (reason) {
    case Reason::parent:
      return "is the parent of";
    case Reason::program:
      return "comes before, in its thread,";
    case Reason::spawn:
      return "starts the task of";
    case Reason::await:
      return "ends what is awaited by";
    case Reason::span:
      return "begins the span that calls";
    case Reason::link:
      return "is linked from";
    case Reason::clock:
      return "is counted in the clock of";
  }
  return {};
}

std::string chain_text(analysis::TraceAnalysis& trace, const std::vector<ChainLink>& chain) {
  std::vector<std::uint32_t> events;
  for (const auto& link : chain) events.push_back(link.event);
  std::string text;
  std::size_t at = 0;
  analysis::each_details(trace, events, [&](const analysis::EventDetails& event) {
    if (at > 0) text += "    " + because(chain[at].reason) + '\n';
    text += "  " + told(event) + '\n';
    ++at;
    return true;
  });
  return text;
}

std::string unordered_text(analysis::TraceAnalysis& trace, std::uint32_t a, std::uint32_t b) {
  const causality::EventPair pair = {a, b};
  const auto common = causality::find_witnesses(trace.happened(), {&pair, 1}).front().last_common;
  std::string text = "Nothing orders them.";
  if (common == causality::none) return text + " No event of the trace happened before both.\n";
  text += " The last event that happened before both:\n";
  text += "  " + told(analysis::read_details(trace, {&common, 1}).front()) + "\nFrom there to the one:\n";
  text += chain_text(trace, causality::shortest_chain(trace.happened(), common, a)) + "and to the other:\n";
  return text + chain_text(trace, causality::shortest_chain(trace.happened(), common, b));
}

}  // namespace

int explain(const ExplainOptions& options, const config::Config& config) {
  const std::string& id = options.reading.traces.front();
  const ReadEvents read = read_events(options.reading, config);
  const auto events = read.storage->trace(id);
  analysis::TraceAnalysis trace(*events, storage::ByteBudget::none());
  const auto find = [&](const std::string& event_id) {
    const auto found = trace.find(event_id);
    if (!found) throw std::runtime_error("trace " + id + " has no event " + event_id);
    return *found;
  };
  const std::uint32_t a = find(options.a);
  const std::uint32_t b = find(options.b);
  std::string text;
  switch (trace.happened().compare(a, b)) {
    case Order::equal:
      text = "It is the same event.\n";
      break;
    case Order::before:
      text = options.a + " happened before " + options.b + ":\n" +
             chain_text(trace, causality::shortest_chain(trace.happened(), a, b));
      break;
    case Order::after:
      text = options.b + " happened before " + options.a + ":\n" +
             chain_text(trace, causality::shortest_chain(trace.happened(), b, a));
      break;
    case Order::concurrent:
      text = unordered_text(trace, a, b);
      break;
  }
  std::cout << terminal::for_terminal(text);
  return 0;
}

}  // namespace raceway::server::races
