// What of a trace's events a diagram shows as texts, gathered while they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "causality/names.hpp"
#include "storage/byte_budget.hpp"
#include "wire/event.hpp"
#include "wire/json.hpp"

namespace raceway::server::analysis {

/// Takes bytes of the budget for as long as it is there. Events are known by their places among the rows.
class GraphTexts {
 public:
  explicit GraphTexts(storage::ByteBudget& budget) : hold_(budget.hold()) {}

  /// The next row. Throws Unavailable where the budget has no room for it.
  void see(const wire::Row& row, const wire::Json& metadata);

  std::string_view id(std::uint32_t place) const {
    return std::string_view(ids_).substr(id_begin_[place], id_begin_[place + 1] - id_begin_[place]);
  }
  /// Numbers of texts.
  std::uint32_t kind(std::uint32_t place) const { return events_[place].kind; }
  std::uint32_t name(std::uint32_t place) const { return events_[place].name; }
  bool tells_error(std::uint32_t place) const { return events_[place].error; }

  /// The number of one more text.
  std::uint32_t number(std::string_view text) { return texts_.number(text); }
  const causality::Names& texts() const { return texts_; }

 private:
  struct Event {
    std::uint32_t kind;
    std::uint32_t name : 31;
    bool error : 1;
  };

  std::string ids_;
  std::vector<std::size_t> id_begin_ = {0};
  std::vector<Event> events_;
  causality::Names texts_;
  storage::ByteBudget::Hold hold_;
};

}  // namespace raceway::server::analysis
