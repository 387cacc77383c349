#include "wire/rejections.hpp"

#include <algorithm>

namespace raceway::wire {
namespace {

bool comes_before(const Rejection& a, const Rejection& b) {
  return a.index < b.index;
}

}  // namespace

bool Rejections::would_tell(std::uint32_t index) const {
  if (told_.size() < most_told) return true;
  return index < (is_sorted_ ? told_.back() : told_.front()).index;
}

void Rejections::add(Rejection&& rejection) {
  if (!would_tell(rejection.index)) return add_untold();
  ++count_;
  if (is_sorted_) {
    const bool is_last = told_.empty() || !comes_before(rejection, told_.back());
    if (is_last) {
      told_.push_back(std::move(rejection));
      return;
    }
    std::make_heap(told_.begin(), told_.end(), comes_before);
    is_sorted_ = false;
  }
  if (told_.size() == most_told) {
    std::pop_heap(told_.begin(), told_.end(), comes_before);
    told_.pop_back();
  }
  told_.push_back(std::move(rejection));
  std::push_heap(told_.begin(), told_.end(), comes_before);
}

void Rejections::sort() {
  if (!is_sorted_) std::sort_heap(told_.begin(), told_.end(), comes_before);
  is_sorted_ = true;
}

}  // namespace raceway::wire
