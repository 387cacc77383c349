#include <iostream>

#include "moving/delivery.hpp"
#include "moving/file_reading.hpp"
#include "moving/moving.hpp"
#include "moving/progress.hpp"

namespace raceway::server::moving {

int import_events(const ImportOptions& options, const config::Config& config) {
  const auto endpoint = find_endpoint(options.to, options.api_key, config);
  Input input(options.file);
  Report report(std::cerr);
  Progress progress([&] { return ProgressState{report.events(), input.consumed(), input.size()}; });
  DeliveryOptions delivery;
  delivery.jobs = options.jobs;
  delivery.batch_events = options.batch_size;
  delivery.give_up = options.give_up;
  try {
    Delivery sink(prepare_target(endpoint, options.give_up), delivery, report);
    read_file(options, input, sink);
    if (input.damage()) report.unreadable(*input.damage());
    sink.finish();
  } catch (...) {
    progress.stop();
    std::cout << report.summary() << "; not finished: run it again, what is in already counts as duplicates\n";
    throw;
  }
  progress.stop();
  std::cout << report.summary() << '\n';
  return report.has_problems() ? 1 : 0;
}

}  // namespace raceway::server::moving
