#include "memory/metadata.hpp"

#include "memory/bytes.hpp"
#include "storage/keyed_hash.hpp"
#include "wire/fields.hpp"

namespace raceway::server::memory {
namespace {

void make_plan(MetadataPlan& plan, const wire::Event& event) {
  plan.shape = event.metadata_shape;
  plan.members = event.metadata.count();
  plan.context_count = 0;
  plan.own.clear();
  plan.parent_id = plan.causality_vector = MetadataPlan::no_member;
  for (std::uint32_t at = 0; at < plan.members; ++at) {
    const std::string_view key = event.metadata.as_object()[at].key();
    if (wire::fields::is_context(key)) {
      plan.context[plan.context_count++] = at;
      continue;
    }
    plan.own.push_back(at);
    if (key == wire::fields::parent_id) plan.parent_id = at;
    if (key == wire::fields::causality_vector) plan.causality_vector = at;
  }
}

}  // namespace

const MetadataPlan& MetadataPlans::plan_for(const wire::Event& event) {
  if (event.metadata_shape == 0) {
    make_plan(unnamed_, event);
    return unnamed_;
  }
  MetadataPlan& plan = plans_[event.metadata_shape * 0x9E3779B97F4A7C15U >> 56U];
  if (plan.shape != event.metadata_shape) make_plan(plan, event);
  return plan;
}

std::size_t ShapeNumbers::place_of(std::uint64_t shape, std::string_view marks) {
  return storage::fast_hash({shape, shape}, marks) % places;
}

std::optional<std::uint32_t> ShapeNumbers::find(std::uint64_t dictionary, std::uint64_t shape,
                                                std::string_view marks) const {
  if (shape == 0) return std::nullopt;
  const Known& known = known_[place_of(shape, marks)];
  if (known.dictionary != dictionary || known.shape != shape || !same_bytes(known.marks, marks)) return std::nullopt;
  return known.number;
}

void ShapeNumbers::note(std::uint64_t dictionary, std::uint64_t shape, std::string_view marks, std::uint32_t number) {
  if (shape == 0 || marks.size() > longest_marks) return;
  Known& known = known_[place_of(shape, marks)];
  known.dictionary = 0;  // should the next line throw
  known.marks = marks;
  known.dictionary = dictionary;
  known.shape = shape;
  known.number = number;
}

}  // namespace raceway::server::memory
