#include "wire/tree_reader.hpp"

#include <algorithm>
#include <stdexcept>

#include "wire/batch.hpp"

namespace raceway::wire {

void TreeReader::pay_for(std::size_t end) {
  if (end <= paid_for_) return;
  arena_.allowance().raise_limit(memory_of_text(end) - memory_of_text(paid_for_));
  paid_for_ = end;
}

std::string TreeReader::read(std::size_t place, Json& tree) {
  const Arena::Mark before = arena_.mark();
  scan_.move_to(place, window_);
  try {
    if (scan_.read_value(tree, 0)) {
      reader_.move_to(scan_.place());
      return {};
    }
  } catch (const OverAllowance&) {
    // It may take less when it is measured first.
  }
  arena_.release(before);
  return read_large(place, tree);
}

std::string TreeReader::read_large(std::size_t place, Json& tree) {
  scan_.move_to(place);
  scan_.give_back_memory();
  const std::size_t to_come = memory_of_text(reader_.text().size() - paid_for_);
  const std::size_t most = std::max(arena_.room(), arena_.allowance().left() + to_come);
  Measure measure(arena_.allowance().source(), most);
  reader_.move_to(place);
  reader_.measure_value(measure);
  pay_for(reader_.place());
  if (!measure.problem().empty()) return measure.problem();
  if (measure.bytes() > most) return too_many_values;  // and was not counted to its end
  try {
    arena_.reserve(measure.bytes());
    if (!scan_.read_counted_value(tree, measure.counts())) throw std::logic_error("read twice, a value differs");
    return {};
  } catch (const OverAllowance&) {
    return too_many_values;
  }
}

}  // namespace raceway::wire
