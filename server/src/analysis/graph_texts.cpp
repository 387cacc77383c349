#include "analysis/graph_texts.hpp"

#include "analysis/event_names.hpp"

namespace raceway::server::analysis {

void GraphTexts::see(const wire::Row& row, const wire::Json& metadata) {
  ids_ += row.event_id;
  id_begin_.push_back(ids_.size());
  events_.push_back({texts_.number(row.kind), texts_.number(event_name(row, metadata)) & 0x7FFF'FFFFU,
                     analysis::tells_error(row, metadata)});
  const std::size_t bytes = ids_.capacity() + id_begin_.capacity() * sizeof(std::size_t) +
                            events_.capacity() * sizeof(Event) + texts_.bytes();
  constexpr std::size_t step = std::size_t{64} << 10U;
  if (bytes > hold_.bytes()) hold_.set(bytes + step);
}

}  // namespace raceway::server::analysis
