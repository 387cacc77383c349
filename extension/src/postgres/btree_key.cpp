#include "postgres/btree_key.hpp"

#include <bit>

extern "C" {
#include "access/nbtree.h"
#include "access/tupmacs.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "utils/pg_locale.h"
}

namespace raceway::postgres {
namespace {

// catalog/pg_opfamily.dat names this family without a symbol.
constexpr Oid datetime_btree_family = 434;

/// Walks through the columns of an entry from the first on.
class ColumnReader {
 public:
  explicit ColumnReader(IndexTuple entry)
      : data_(reinterpret_cast<char*>(entry) + IndexInfoFindDataOffset(entry->t_info)),
        nulls_(IndexTupleHasNulls(entry) ? reinterpret_cast<bits8*>(entry) + sizeof(IndexTupleData) : nullptr) {}

  /// False where it is compressed.
  bool next(const BtreeOrder::Column& column, BtreeKey::Value* value) {
    const int at = column_++;
    value->is_null = nulls_ != nullptr && att_isnull(at, nulls_);
    if (value->is_null) return true;
    return column.is_text ? next_text(value) : next_number(value);
  }

 private:
  bool next_text(BtreeKey::Value* value) {
    // A byte that is not 0 begins a short varlena, or a long one that needs no padding.
    if (data_[offset_] == 0) offset_ = INTALIGN(offset_);
    const char* const varlena = data_ + offset_;
    if (VARATT_IS_1B_E(varlena) || VARATT_IS_4B_C(varlena)) return false;
    value->text = VARDATA_ANY(varlena);
    value->length = static_cast<std::uint32_t>(VARSIZE_ANY_EXHDR(varlena));
    offset_ += VARSIZE_ANY(varlena);
    return true;
  }

  bool next_number(BtreeKey::Value* value) {
    offset_ = DOUBLEALIGN(offset_);
    memcpy(&value->number, data_ + offset_, sizeof value->number);
    offset_ += sizeof value->number;
    return true;
  }

  const char* data_;
  const bits8* nulls_;
  std::size_t offset_ = 0;
  int column_ = 0;
};

/// The first eight bytes as a number that is ordered as they are; fewer are filled up with zeros.
std::uint64_t first_bytes(const char* text, std::size_t length) {
  std::uint64_t bytes = 0;
  memcpy(&bytes, text, Min(length, sizeof bytes));
  return std::endian::native == std::endian::little ? __builtin_bswap64(bytes) : bytes;
}

/// The prefix that a text's first bytes, or a number, make in this column.
std::uint64_t prefix_in(const BtreeOrder::Column& column, std::uint64_t first) {
  constexpr std::uint64_t sign = std::uint64_t{1} << 63U;
  const std::uint64_t prefix = column.is_text ? first : first ^ sign;
  return column.descending ? ~prefix : prefix;
}

int compare_texts(const BtreeKey::Value& a, const BtreeKey::Value& b) {
  const std::uint32_t shorter = Min(a.length, b.length);
  if (shorter >= sizeof(std::uint64_t)) {
    const std::uint64_t first_of_a = first_bytes(a.text, a.length);
    const std::uint64_t first_of_b = first_bytes(b.text, b.length);
    if (first_of_a != first_of_b) return first_of_a < first_of_b ? -1 : 1;
  }
  const int result = memcmp(a.text, b.text, shorter);
  if (result != 0) return result;
  return a.length < b.length ? -1 : static_cast<int>(a.length > b.length);
}

int compare_values(const BtreeOrder::Column& column, const BtreeKey::Value& a, const BtreeKey::Value& b) {
  if (a.is_null || b.is_null) {
    if (a.is_null == b.is_null) return 0;
    return a.is_null == column.nulls_first ? -1 : 1;
  }
  const int result =
      column.is_text ? compare_texts(a, b) : (a.number < b.number ? -1 : static_cast<int>(a.number > b.number));
  return column.descending ? -result : result;
}

bool is_text_by_bytes(Relation index, int at) {
  return index->rd_opfamily[at] == TEXT_BTREE_FAM_OID && OidIsValid(index->rd_indcollation[at]) &&
         lc_collate_is_c(index->rd_indcollation[at]) && TupleDescAttr(RelationGetDescr(index), at)->attlen == -1;
}

bool is_number(Relation index, int at) {
  const Oid type = index->rd_opcintype[at];
  return (index->rd_opfamily[at] == datetime_btree_family && type == TIMESTAMPOID) ||
         (index->rd_opfamily[at] == INTEGER_BTREE_FAM_OID && type == INT8OID);
}

}  // namespace

bool find_btree_order(Relation index, BtreeOrder* order) {
  const int count = IndexRelationGetNumberOfKeyAttributes(index);
  if (index->rd_rel->relam != BTREE_AM_OID || count > btree_key_columns_max) return false;
  // Before its version 4, a btree did not order equal keys by their rows.
  bool orders_rows = false;
  bool deduplicates = false;
  _bt_metaversion(index, &orders_rows, &deduplicates);
  if (!orders_rows) return false;
  order->count = count;
  for (int at = 0; at < count; ++at) {
    BtreeOrder::Column& column = order->columns[at];
    column.is_text = is_text_by_bytes(index, at);
    if (!column.is_text && !is_number(index, at)) return false;
    column.descending = (index->rd_indoption[at] & INDOPTION_DESC) != 0;
    column.nulls_first = (index->rd_indoption[at] & INDOPTION_NULLS_FIRST) != 0;
  }
  return true;
}

bool read_btree_key(const BtreeOrder& order, IndexTuple entry, BtreeKey* key) {
  ColumnReader reader(entry);
  for (int at = 0; at < order.count; ++at) {
    if (!reader.next(order.columns[at], &key->values[at])) return false;
  }
  return true;
}

void read_btree_values(const BtreeOrder& order, const Datum* values, BtreeKey* key) {
  for (int at = 0; at < order.count; ++at) {
    BtreeKey::Value& value = key->values[at];
    value = {};
    if (order.columns[at].is_text) {
      const char* const varlena = DatumGetPointer(values[at]);
      value.text = VARDATA_ANY(varlena);
      value.length = static_cast<std::uint32_t>(VARSIZE_ANY_EXHDR(varlena));
    } else {
      value.number = DatumGetInt64(values[at]);
    }
  }
}

std::uint64_t prefix_of(const BtreeOrder& order, const BtreeKey& key) {
  const BtreeOrder::Column& column = order.columns[0];
  const BtreeKey::Value& value = key.values[0];
  if (value.is_null) return column.nulls_first ? 0 : ~std::uint64_t{0};
  return prefix_in(column,
                   column.is_text ? first_bytes(value.text, value.length) : static_cast<std::uint64_t>(value.number));
}

bool glance_prefix(const BtreeOrder& order, IndexTuple entry, std::uint64_t* prefix) {
  if (IndexTupleHasNulls(entry)) return false;
  const char* const data = reinterpret_cast<char*>(entry) + IndexInfoFindDataOffset(entry->t_info);
  const BtreeOrder::Column& column = order.columns[0];
  std::uint64_t first = 0;
  if (column.is_text) {
    if (!VARATT_IS_1B(data) || VARSIZE_1B(data) < VARHDRSZ_SHORT + sizeof first) return false;
    first = first_bytes(VARDATA_1B(data), sizeof first);
  } else {
    memcpy(&first, data, sizeof first);
  }
  *prefix = prefix_in(column, first);
  return true;
}

KeyComparison compare_key(const BtreeOrder& order, const BtreeKey& key, IndexTuple other, int columns) {
  ColumnReader reader(other);
  for (int at = 0; at < columns; ++at) {
    BtreeKey::Value value;
    if (!reader.next(order.columns[at], &value)) return KeyComparison::unknown;
    const int result = compare_values(order.columns[at], key.values[at], value);
    if (result != 0) return result < 0 ? KeyComparison::less : KeyComparison::greater;
  }
  return KeyComparison::equal;
}

}  // namespace raceway::postgres
