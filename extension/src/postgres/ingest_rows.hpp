// Events as the values of rows: every column built once, in the form in which the heap keeps it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "postgres/boundary.hpp"
#include "postgres/direct_table.hpp"
#include "postgres/ingest_layout.hpp"
#include "wire/event.hpp"

namespace raceway::postgres {

/// Texts as varlenas in one block of memory. What is added is known by its offset until datum() is asked, after which
/// nothing may be added.
class VarlenaBlock {
 public:
  VarlenaBlock();
  VarlenaBlock(const VarlenaBlock&) = delete;
  VarlenaBlock& operator=(const VarlenaBlock&) = delete;
  ~VarlenaBlock();

  std::size_t add_text(std::string_view text);
  /// Begins a varlena that is aligned as a jsonb must be: append it to bytes().
  std::size_t begin_aligned();
  std::string& bytes() { return bytes_; }
  Datum datum(std::size_t offset) const { return PointerGetDatum(bytes_.data() + offset); }

 private:
  std::string bytes_;
};

/// The rows of `events`, in their order. Owns what their datums refer to.
class EventRows {
 public:
  EventRows(std::span<const wire::Event* const> events, Timestamp created_at);
  std::vector<DirectRow>& rows() { return rows_; }

 private:
  void add(const wire::Event& event, Timestamp created_at);
  std::size_t add_clock(const wire::Event& event);
  std::size_t add_metadata(const wire::Event& event);
  void add_jsonb_of_text();
  VarlenaBlock block_;
  std::vector<DirectRow> rows_;
  std::string text_;  // of a jsonb that PostgreSQL's function is to make
};

}  // namespace raceway::postgres
