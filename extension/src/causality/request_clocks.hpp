// Clocks whose components stand for requests: `service#instance` names an instance, but counts from 0 in each request.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "causality/causal_edges.hpp"
#include "causality/event_table.hpp"
#include "causality/strands.hpp"

namespace raceway::causality {

/// Reads request clocks as what they are: each component means the request upstream that has this name, nearest first.
/// Where no request of the trace has it, it orders nothing. `order` has all events, parents first.
class RequestClocks {
 public:
  RequestClocks(const EventTable& events, const Strands& strands, const Spans& spans,
                std::span<const std::uint32_t> order);

  /// Whether the event's clock is one: some component of it is the own one of a strand in the trace. Others are plain.
  bool has(std::uint32_t event) const;

  /// Of every event the last one of each other request that its clock has counted, where that is news to its strand;
  /// and of the own request the one that counted before it. A request of an instance that is upstream of itself
  /// counts on from the number it received. Requests that do not send their own numbers (but others received
  /// them) are numbered by position, leaving out those that others received.
  std::vector<CausalEdge> edges();

 private:
  /// The part of one strand that is in one span.
  struct Request {
    std::uint32_t strand;
    std::uint32_t span;
    std::uint32_t component;  ///< the own one
    std::uint32_t first = none;
    bool numbered = false;                                       ///< it sends its own numbers
    std::vector<std::pair<Counter, std::uint32_t>> events = {};  ///< by rising own number
    std::vector<Counter> received = {};                          ///< numbers that others have from it
  };
  struct Reference {
    std::uint32_t event;
    std::uint32_t request;
    Counter counter;
  };

  void find_requests();
  void collect_references();
  void number_by_position();
  /// Requests that `component` means to an event of the span and strand; into the same every time.
  const std::vector<std::uint32_t>& meant(std::uint32_t span, std::uint32_t component, std::uint32_t strand);
  const std::vector<std::uint32_t>& meant_upstream(std::uint32_t span, std::uint32_t component);
  void add_own_edges(std::vector<CausalEdge>& edges);

  const EventTable& events_;
  const Strands& strands_;
  const Spans& spans_;
  std::span<const std::uint32_t> order_;
  std::vector<std::uint32_t> own_component_;  // by origin, or 0
  std::vector<bool> is_component_;            // by name
  std::vector<std::uint32_t> request_of_;     // by event, or none
  std::vector<Request> requests_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::uint32_t>> in_span_;  // by (span, component)
  std::map<std::uint32_t, std::vector<std::uint32_t>> of_component_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, const std::vector<std::uint32_t>*> upstream_;  // found before
  std::vector<Reference> references_;
  const std::vector<std::uint32_t> no_requests_;
  std::vector<std::uint32_t> single_;
};

}  // namespace raceway::causality
