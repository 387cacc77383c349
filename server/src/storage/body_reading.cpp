#include "storage/body_reading.hpp"

namespace raceway::server::storage {

void* BudgetedMemory::do_allocate(std::size_t bytes, std::size_t alignment) {
  hold_.grow(bytes);
  try {
    return wire::heap_memory().allocate(bytes, alignment);
  } catch (...) {
    hold_.shrink(bytes);
    throw;
  }
}

void BudgetedMemory::do_deallocate(void* place, std::size_t bytes, std::size_t alignment) {
  wire::heap_memory().deallocate(place, bytes, alignment);
  hold_.shrink(bytes);
}

BodyReading::BodyReading(const Intake& intake)
    : most_events_(intake.most_events), memory_(*intake.budget), allowance_(memory_) {
  allowance_.set_limit(wire::memory_of_any_body);
}

wire::Batch BodyReading::read(std::string_view body, wire::MetadataForm form) {
  return wire::read_batch(body, {.form = form, .allowance = &allowance_, .most_events = most_events_});
}

}  // namespace raceway::server::storage
