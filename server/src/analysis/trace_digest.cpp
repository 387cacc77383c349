#include "analysis/trace_digest.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/event_details.hpp"
#include "analysis/operations.hpp"
#include "wire/arena.hpp"
#include "wire/row_json.hpp"

namespace raceway::server::analysis {

void DurationSums::add(std::uint64_t micros) {
  ++count;
  sum += micros;
  squares += Wide{micros} * micros;
}

void DurationSums::add(const DurationSums& other) {
  count += other.count;
  sum += other.sum;
  squares += other.squares;
}

void DurationSums::take_out(const DurationSums& other) {
  count -= other.count;
  sum -= other.sum;
  squares -= other.squares;
}

double DurationSums::mean_micros() const {
  return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count);
}

double DurationSums::deviation_micros() const {
  if (count == 0) return 0;
  // n * squares - sum^2 is exact, and what is left is rounded once; beyond 128 bits nothing of this kind is told.
  const Wide variance = squares * count - sum * sum;
  return std::sqrt(static_cast<double>(variance)) / static_cast<double>(count);
}

std::size_t TraceDigest::bytes() const {
  std::size_t bytes = sizeof(TraceDigest) + services.size() * sizeof(Service) + operations.size() * sizeof(Operation) +
                      kinds.size() * sizeof(Kind) + calls.size() * sizeof(causality::Calls) +
                      variables.size() * (sizeof(Variable) + 64);
  for (const Places& each : places) bytes += sizeof(Places) + each.event1_id.capacity() + each.event2_id.capacity();
  return bytes;
}

namespace {

using causality::Access;
using causality::EventTable;

void add_unique(std::vector<std::uint32_t>& set, std::uint32_t name) {
  if (std::ranges::find(set, name) == set.end()) set.push_back(name);
}

class Digesting {
 public:
  Digesting(TraceAnalysis& trace, causality::Names& names) : trace_(trace), names_(names) {}

  TraceDigest run() && {
    read_rows();
    read_events();
    read_races();
    for (auto call : causality::find_calls(trace_.happened())) {
      call.from = renamed(call.from);
      call.to = renamed(call.to);
      digest_.calls.push_back(call);
    }
    for (auto& [name, service] : services_) digest_.services.push_back(service);
    for (auto& [name, kind] : kinds_) digest_.kinds.push_back(kind);
    for (auto& [key, operation] : operations_) digest_.operations.push_back(operation);
    return std::move(digest_);
  }

 private:
  std::uint32_t renamed(std::uint32_t number) { return names_.number(trace_.events().names()[number]); }

  /// By place: what only the rows say.
  void read_rows() {
    trace_.rows().each([&](const wire::Row& row) {
      wire::Arena arena;
      const auto metadata = wire::read_row_object(row.metadata, arena);
      kind_at_.push_back(names_.number(row.kind));
      operation_at_.push_back(names_.number(operation_of(row, metadata)));
      return true;
    });
  }

  void read_events() {
    const EventTable& events = trace_.events();
    std::map<std::uint32_t, TraceDigest::Variable> variables;
    for (std::uint32_t at = 0; at < events.size(); ++at) {
      const auto& event = events[at];
      const auto& origin = events.origin(at);
      const std::uint32_t name = renamed(origin.service);
      auto& service = services_.try_emplace(name, TraceDigest::Service{name, 0, event.timestamp, {}}).first->second;
      auto& kind =
          kinds_.try_emplace(kind_at_[event.place], TraceDigest::Kind{kind_at_[event.place], 0, {}}).first->second;
      ++service.events;
      ++kind.count;
      service.last_seen = std::max(service.last_seen, event.timestamp);
      if (event.duration_nanos >= 0) {
        const auto micros = static_cast<std::uint64_t>(event.duration_nanos / nanos_in_a_microsecond);
        const std::uint32_t operation = operation_at_[event.place];
        operations_.try_emplace({name, operation}, TraceDigest::Operation{name, operation, {}})
            .first->second.durations.add(micros);
        service.durations.add(micros);
        kind.durations.add(micros);
      }
      if (event.access == Access::no_access || event.subject == 0) continue;
      auto& variable =
          variables.try_emplace(event.subject, TraceDigest::Variable{renamed(event.subject), {}, 0, 0, {}, {}, {}})
              .first->second;
      add_unique(variable.threads, renamed(origin.thread));
      add_unique(variable.services, name);
      if (std::ranges::find(variable.access_types, event.access) == variable.access_types.end())
        variable.access_types.push_back(event.access);
    }
    for (auto& [name, variable] : variables) digest_.variables.push_back(std::move(variable));
  }

  void read_races() {
    const auto races = causality::find_races(trace_.happened(), trace_.locks(), {.most_pairs = 0, .by_site = true});
    for (const auto& of_variable : races.variables) {
      const std::uint32_t name = renamed(of_variable.variable);
      const auto variable = std::ranges::find(digest_.variables, name, &TraceDigest::Variable::name);
      variable->accesses = of_variable.accesses;
      variable->write_write = of_variable.pairs[0];
      variable->read_write = of_variable.pairs[1];
    }
    std::vector<std::uint32_t> shown;
    for (const auto& site : races.sites) {
      if (site.pairs[0] + site.pairs[1] == 0) continue;
      const auto place = [&](std::uint32_t number) { return number == causality::none ? 0 : renamed(number); };
      digest_.places.push_back({renamed(site.variable), place(site.site1), place(site.site2), site.access1,
                                site.access2, site.example.race_class, site.pairs[0] + site.pairs[1], "", ""});
      shown.insert(shown.end(), {site.example.earlier, site.example.later});
    }
    const auto details = read_details(trace_, shown);
    for (std::size_t i = 0; i < digest_.places.size(); ++i) {
      digest_.places[i].event1_id = details[2 * i].id;
      digest_.places[i].event2_id = details[2 * i + 1].id;
    }
  }

  TraceAnalysis& trace_;
  causality::Names& names_;
  TraceDigest digest_;
  std::vector<std::uint32_t> kind_at_;
  std::vector<std::uint32_t> operation_at_;
  std::map<std::uint32_t, TraceDigest::Service> services_;
  std::map<std::uint32_t, TraceDigest::Kind> kinds_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, TraceDigest::Operation> operations_;
};

}  // namespace

TraceDigest digest_of(TraceAnalysis& trace, causality::Names& names) {
  return Digesting(trace, names).run();
}

}  // namespace raceway::server::analysis
