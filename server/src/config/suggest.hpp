// "Did you mean ...?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace raceway::server::config {

/// The candidate that differs from `word` by the fewest inserted, deleted, replaced or swapped letters, if they are few
/// enough to be a slip (about a third of the word); else empty. Of equals the first.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace raceway::server::config
