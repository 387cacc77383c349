#include "causality/clock_algebra.hpp"

#include <algorithm>

namespace raceway::causality {

std::size_t normalize(std::span<Component> components) noexcept {
  std::sort(components.begin(), components.end(), [](const Component& a, const Component& b) {
    const auto names = compare_names(a.name, b.name);
    return names < 0 || (names == 0 && a.counter > b.counter);
  });
  const auto repeated = std::unique(components.begin(), components.end(),
                                    [](const Component& a, const Component& b) { return a.name == b.name; });
  const auto zeros =
      std::remove_if(components.begin(), repeated, [](const Component& component) { return component.counter == 0; });
  return static_cast<std::size_t>(zeros - components.begin());
}

}  // namespace raceway::causality
