// How the readers of spans in JSON go over a body: a span is read as a tree, and what is about many spans before them,
// wherever it stands.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "wire/span_batch.hpp"
#include "wire/span_json.hpp"
#include "wire/tree_reader.hpp"

namespace raceway::wire {

/// Takes the span that begins next, and steps over it: `read(tree, span)` makes it of its tree, and may throw what
/// SpanBatch::add() takes.
template <class Read>
void add_span_tree(TreeReader& trees, SpanBatch& spans, Read read) {
  JsonReader& reader = trees.reader();
  const std::size_t place = reader.place();
  reader.skip_value();
  const std::size_t end = reader.end_of_token_before();
  spans.add(end - place, [&](Span& span) {
    Json tree;
    const std::string problem = trees.read(place, tree);
    if (!problem.empty()) throw EventError(problem);
    read(tree, span);
  });
  reader.move_to(end);
}

/// Goes over the object that begins next, called `name`, and steps over it: first over all members but `last`, whose
/// values `read(key)` steps over or answers false of, then, where it has that one, over its value by `read_last()`.
/// Throws BodyError where it is no object.
template <class Read, class ReadLast>
void each_member_and_last(JsonReader& reader, const char* name, std::string_view last, Read read, ReadLast read_last) {
  std::optional<std::size_t> place;
  each_member(reader, name, [&](std::string_view key) {
    if (key == last) place = reader.place();
    if (key == last || !read(key)) reader.skip_value();
  });
  if (!place) return;
  const std::size_t end = reader.end_of_token_before();
  reader.move_to(*place);
  read_last();
  reader.move_to(end);
}

}  // namespace raceway::wire
