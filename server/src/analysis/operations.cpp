#include "analysis/operations.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace raceway::server::analysis {

std::string_view text_in(const wire::Json& metadata, std::string_view name) {
  using Type = wire::Json::Type;
  const wire::Json* value = metadata.find(name);
  if (value == nullptr || (!value->is(Type::string) && !value->is(Type::number))) return {};
  return value->text();
}

std::string operation_of(const wire::Row& row, const wire::Json& metadata) {
  using Named = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Named, 8> by_field = {Named{"FunctionCall", "function_name"}, Named{"StateChange", "variable"},
                                             Named{"LockAcquire", "lock_type"},      Named{"LockRelease", "lock_type"},
                                             Named{"HttpRequest", "method"},         Named{"HttpResponse", "status"},
                                             Named{"Error", "error_type"},           Named{"Custom", "name"}};
  const auto* const found = std::ranges::find(by_field, row.kind, &Named::first);
  if (found == by_field.end()) return std::string(row.kind);
  return std::string(row.kind) + '(' + std::string(text_in(metadata, found->second)) + ')';
}

}  // namespace raceway::server::analysis
