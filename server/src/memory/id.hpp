// Ids in 16 bytes: a UUID by its own, any other text by a hash and the text beside it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/keyed_hash.hpp"

namespace raceway::server::memory {

using IdBytes = std::array<char, 16>;

inline std::string_view view(const IdBytes& bytes) {
  return {bytes.data(), bytes.size()};
}

/// An id as it was sent. Does not own its text.
struct Id {
  IdBytes bytes{};        ///< of a UUID its own; of another text a keyed hash
  bool is_uuid = false;   ///< lower case with hyphens, exactly as it is written back
  std::string_view text;  ///< as it was sent
  std::uint64_t hash = 0;
};

/// Makes ids of texts, the same each time.
class IdMaker {
 public:
  IdMaker() : text_key_(storage::HashKey::random()), table_key_(storage::HashKey::random()) {}
  Id make(std::string_view text) const;
  /// Id::hash of an id with these 16 bytes.
  std::uint64_t hash_of(std::string_view bytes) const { return storage::sip_hash(table_key_, bytes); }

 private:
  storage::HashKey text_key_;
  storage::HashKey table_key_;
};

/// Appends the UUID that these 16 bytes are, in lower case with hyphens.
void append_uuid(std::string& out, const char* bytes);

/// Writes the bytes of an even number of lower case hexadecimal digits, half as many; answers whether `text` was that.
bool read_hex(std::string_view text, char* out);
void append_hex(std::string& out, std::string_view bytes);

}  // namespace raceway::server::memory
