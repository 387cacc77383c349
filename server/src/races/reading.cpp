#include "races/reading.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <utility>

#include "config/endpoint.hpp"
#include "moving/delivery.hpp"
#include "moving/file_reading.hpp"
#include "moving/source.hpp"
#include "wire/errors.hpp"

namespace raceway::server::races {
namespace {

class MemoryTarget : public moving::Target {
 public:
  explicit MemoryTarget(memory::MemoryStorage& storage) : storage_(storage) {}

  storage::IngestResult send(std::string_view body) override {
    try {
      return std::move(storage_.ingest({body}).front());
    } catch (const wire::BodyError& error) {
      throw moving::BodyRefused(error.what());
    }
  }

 private:
  memory::MemoryStorage& storage_;
};

bool is_file(const std::string& where) {
  std::error_code error;
  return where == "-" || (where.find("://") == std::string::npos && std::filesystem::exists(where, error));
}

void read_file(const Reading& reading, moving::EventSink& sink, moving::Report& report) {
  moving::ImportOptions options;
  options.file = reading.where;
  options.parser = reading.parser;
  moving::Input input(options.file);
  moving::read_file(options, input, sink);
  if (input.damage()) report.unreadable(*input.damage());
}

void read_endpoint(const Reading& reading, const config::Config& config, moving::EventSink& sink) {
  if (!reading.where.empty() && reading.where.find("://") == std::string::npos &&
      reading.where.find('=') == std::string::npos)
    throw std::runtime_error("there is no file " + reading.where + ", and it is no URL and no connection string");
  const auto endpoint = config::find_endpoint(reading.where, reading.api_key, config);
  moving::Selection selection;
  selection.traces = reading.traces;
  moving::Place place;
  const auto missing = moving::open_source(endpoint)->each_event(selection, false, [&](std::string_view text) {
    sink.event(text, place);
    ++place.index;
  });
  if (!missing.empty()) throw std::runtime_error(endpoint.shown + " has no trace " + missing.front());
}

}  // namespace

ReadEvents read_events(const Reading& reading, const config::Config& config) {
  ReadEvents read = {std::make_unique<memory::MemoryStorage>()};
  moving::Report report(std::cerr);
  moving::DeliveryOptions delivery;
  delivery.jobs = 1;
  moving::Delivery sink([&] { return std::make_unique<MemoryTarget>(*read.storage); }, delivery, report);
  if (is_file(reading.where)) {
    read_file(reading, sink, report);
  } else {
    read_endpoint(reading, config, sink);
  }
  sink.finish();
  for (const auto& id : reading.traces) {
    if (read.storage->trace(id) == nullptr) throw std::runtime_error("there is no trace " + id);
  }
  read.has_problems = report.has_problems();
  return read;
}

}  // namespace raceway::server::races
