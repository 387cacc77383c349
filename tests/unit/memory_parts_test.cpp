// The parts that the memory store is made of, each alone.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "memory/dictionary.hpp"
#include "memory/hash_table.hpp"
#include "memory/id.hpp"
#include "memory/traces.hpp"
#include "memory/vocabulary.hpp"
#include "storage/keyed_hash.hpp"
#include "wire/uuid.hpp"
#include "wire_support.hpp"

namespace raceway::server::memory {
namespace {

std::multiset<std::uint32_t> numbers_under(const HashTable& table, std::uint32_t hash) {
  std::multiset<std::uint32_t> numbers;
  table.any_of(hash, [&](std::uint32_t number) {
    numbers.insert(number);
    return false;
  });
  return numbers;
}

TEST(MemoryHashTable, FindsNothingInAnEmptyOne) {
  HashTable table;
  EXPECT_TRUE(numbers_under(table, 0).empty());
  table.erase(0, 0);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.bytes(), 0U);
}

RC_GTEST_PROP(MemoryHashTable, AgreesWithAMultimap, ()) {
  HashTable table;
  std::multimap<std::uint32_t, std::uint32_t> model;
  wire::test::Dice dice;
  // Hashes that crowd together at either end and in the middle.
  const auto some_hash = [&] {
    const auto offset = static_cast<std::uint32_t>(dice.between(0, 40));
    return dice.one_of({offset, 0x80000000U + offset * 0x01000000U, 0xFFFFFFFFU - offset});
  };
  for (int left = dice.between(0, 400); left > 0; --left) {
    const auto hash = some_hash();
    if (dice.chance(75)) {
      const auto number = static_cast<std::uint32_t>(dice.between(0, 1'000));
      table.insert(hash, number);
      model.emplace(hash, number);
    } else {
      const auto found = model.find(hash);
      const bool is_there = found != model.end();
      table.erase(hash, is_there ? found->second : 7'777);
      if (is_there) model.erase(found);
    }
  }
  RC_ASSERT(table.size() == model.size());
  for (int tries = 0; tries < 50; ++tries) {
    const auto hash = some_hash();
    std::multiset<std::uint32_t> expected;
    const auto [begin, end] = model.equal_range(hash);
    std::for_each(begin, end, [&](const auto& entry) { expected.insert(entry.second); });
    RC_ASSERT(numbers_under(table, hash) == expected);
  }
}

TEST(MemoryHashTable, TakesLittleMoreThanItsSlots) {
  HashTable table;
  const storage::HashKey key{1, 2};
  constexpr std::uint32_t count = 100'000;
  for (std::uint32_t at = 0; at < count; ++at) {
    const auto hash = storage::sip_hash(key, {reinterpret_cast<const char*>(&at), sizeof at});
    table.insert(static_cast<std::uint32_t>(hash), at);
    // Between two growths it is four fifths full at most, and half at least.
    if (at > 1'000) {
      ASSERT_LE(table.bytes(), (at + 1) * 8 * 2 + 1'000);
    }
  }
  EXPECT_EQ(table.size(), count);
}

TEST(MemoryHash, IsTheSipHashOfItsReference) {
  // SipHash-1-3 with the key 00 01 .. 0f of the inputs "", 00, 00 01, ..: from the reference implementation.
  const storage::HashKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  std::string input;
  EXPECT_EQ(storage::sip_hash(key, input), 0xabac0158050fc4dcU);
  input += '\0';
  EXPECT_EQ(storage::sip_hash(key, input), 0xc9f49bf37d57ca93U);
  input += '\1';
  EXPECT_EQ(storage::sip_hash(key, input), 0x82cb9b024dc7d44dU);
}

TEST(MemoryHash, DiffersFromRunToRun) {
  const auto a = storage::HashKey::random();
  const auto b = storage::HashKey::random();
  EXPECT_NE(storage::sip_hash(a, "id"), storage::sip_hash(b, "id"));
  EXPECT_NE(storage::fast_hash(a, "id"), storage::fast_hash(b, "id"));
}

TEST(MemoryHash, TellsShortTextsApart) {
  const auto key = storage::HashKey::random();
  std::set<std::uint64_t> hashes;
  std::string text;
  for (int length = 0; length < 100; ++length, text += 'x') hashes.insert(storage::fast_hash(key, text));
  for (int at = 0; at < 100; ++at) {
    auto changed = text;
    changed[static_cast<std::size_t>(at)] = 'y';
    hashes.insert(storage::fast_hash(key, changed));
  }
  EXPECT_EQ(hashes.size(), 200U);
}

RC_GTEST_PROP(MemoryId, TakesExactlyTheUuidsThatComeBackAsTheyWere, ()) {
  wire::test::Dice dice;
  auto text = dice.uuid();
  if (dice.chance(50)) text[static_cast<std::size_t>(dice.between(0, 35))] = static_cast<char>(dice.between(-128, 127));
  const bool canonical = text.find_first_not_of("0123456789abcdef-") == std::string::npos && text[8] == '-' &&
                         text[13] == '-' && text[18] == '-' && text[23] == '-' &&
                         std::count(text.begin(), text.end(), '-') == 4;
  const auto bytes = wire::read_canonical_uuid(text);
  RC_ASSERT(bytes.has_value() == canonical);
  RC_ASSERT(wire::is_canonical_uuid(text) == canonical);
  if (!bytes) return;
  std::string back;
  append_uuid(back, bytes->data());
  RC_ASSERT(back == text);
}

TEST(MemoryId, TakesNoOtherByteForADigit) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string text(8, '0');
    for (auto& place : text) {
      place = static_cast<char>(byte);
      std::array<char, 4> bytes{};
      const bool is_digit = std::string("0123456789abcdef").find(place) != std::string::npos;
      EXPECT_EQ(read_hex(text, bytes.data()), is_digit) << byte;
      place = '0';
    }
  }
}

TEST(MemoryId, SortsIdsAsTheirTexts) {
  const IdMaker maker;
  const std::vector<std::string> sorted = {"",
                                           "0",
                                           "0000000a-0000-4000-8000-000000000000",
                                           "0000000a-0000-4000-8000-000000000001",
                                           "0000000a-0000-4000-8000-00000000000A",
                                           "00000010-0000-4000-8000-000000000000",
                                           "f0000000-0000-4000-8000-000000000000",
                                           "g"};
  for (std::size_t a = 0; a < sorted.size(); ++a) {
    for (std::size_t b = 0; b < sorted.size(); ++b) {
      EXPECT_EQ(before(OwnedId(maker.make(sorted[a])), OwnedId(maker.make(sorted[b]))), sorted[a] < sorted[b]);
    }
  }
}

TEST(MemoryDictionary, TakesATextThatIsSeenTwice) {
  Dictionary dictionary;
  EXPECT_EQ(dictionary.number_of("once"), std::nullopt);
  EXPECT_EQ(dictionary.number_of("twice"), std::nullopt);
  EXPECT_EQ(dictionary.number_of("twice"), 0U);
  EXPECT_EQ(dictionary.number_of("twice"), 0U);
  EXPECT_EQ(dictionary.text(0), "twice");
  EXPECT_EQ(dictionary.number_of("once"), 1U);
  EXPECT_EQ(dictionary.number_of(std::string(Dictionary::longest_text + 1, 'x')), std::nullopt);
  EXPECT_EQ(dictionary.number_of(std::string(Dictionary::longest_text + 1, 'x')), std::nullopt);
}

TEST(MemoryDictionary, StaysSmallWhateverComesOnce) {
  Dictionary dictionary;
  const auto before = dictionary.bytes();
  for (int at = 0; at < 200'000; ++at) dictionary.number_of("/accounts/" + std::to_string(at));
  EXPECT_LT(dictionary.bytes(), before + 100'000);
  EXPECT_FALSE(dictionary.full());
}

TEST(MemoryDictionary, IsBoundedWhateverComesAgain) {
  Dictionary dictionary;
  std::size_t in = 0;
  for (int at = 0; at < 60'000; ++at) {
    const auto text = "/accounts/" + std::to_string(at);
    dictionary.number_of(text);
    in += dictionary.number_of(text).has_value() ? 1 : 0;
  }
  EXPECT_TRUE(dictionary.full());
  EXPECT_EQ(in, Dictionary::max_texts);
  EXPECT_LT(dictionary.bytes(), 4U << 20U);
  EXPECT_EQ(dictionary.number_of("/accounts/7"), 7U) << "what is in stays known";
}

TEST(MemoryDictionary, GivesEveryThreadTheSameNumbers) {
  Dictionary dictionary;
  constexpr int texts = 2'000;
  std::vector<std::map<std::string, std::uint32_t>> seen(4);
  std::vector<std::thread> threads;
  for (auto& mine : seen) {
    threads.emplace_back([&] {
      Vocabulary vocabulary;
      vocabulary.use(dictionary);
      for (int round = 0; round < 3; ++round) {
        for (int at = 0; at < texts; ++at) {
          const auto text = "text " + std::to_string(at);
          if (const auto number = vocabulary.number_of(text)) {
            EXPECT_EQ(dictionary.text(*number), text);
            EXPECT_EQ(mine.try_emplace(text, *number).first->second, *number);
          }
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::map<std::string, std::uint32_t> all;
  for (const auto& mine : seen) {
    for (const auto& [text, number] : mine) EXPECT_EQ(all.try_emplace(text, number).first->second, number);
  }
  EXPECT_GT(all.size(), texts * 0.99);
}

TEST(MemoryVocabulary, ForgetsTheDictionaryBefore) {
  Vocabulary vocabulary;
  for (int round = 0; round < 3; ++round) {
    Dictionary dictionary;  // perhaps where the one before it was
    vocabulary.use(dictionary);
    EXPECT_EQ(vocabulary.number_of("a name of the dictionary"), std::nullopt);
    EXPECT_EQ(vocabulary.number_of("a name of the dictionary"), 0U);
    EXPECT_EQ(vocabulary.number_of("a name of the dictionary"), 0U);
  }
}

RC_GTEST_PROP(MemoryRecency, KeepsTheOrderThatSortingGives, ()) {
  wire::test::Dice dice;
  const IdMaker maker;
  Traces traces;
  Recency recency;
  std::vector<std::pair<wire::Micros, std::string>> model;
  for (int left = dice.between(1, 60); left > 0; --left) {
    const bool is_new = model.empty() || dice.chance(50);
    const auto number = is_new ? static_cast<std::uint32_t>(model.size())
                               : static_cast<std::uint32_t>(dice.between(0, static_cast<int>(model.size()) - 1));
    if (is_new) {
      model.emplace_back(0, "trace " + std::to_string(dice.between(0, 9)) + std::to_string(number));
      RC_ASSERT(traces.add(maker.make(model.back().second), nullptr) == number);
    }
    recency.prepare();
    recency.note(traces[number], number);
    model[number].first = traces[number].last = is_new ? dice.between(0, 5) : model[number].first + dice.between(0, 3);
    if (dice.chance(30)) recency.oldest_first(traces);
  }
  std::vector<std::uint32_t> expected(model.size());
  for (std::uint32_t at = 0; at < expected.size(); ++at) expected[at] = at;
  std::sort(expected.begin(), expected.end(), [&](std::uint32_t a, std::uint32_t b) {
    return model[a].first != model[b].first ? model[a].first < model[b].first : model[a].second > model[b].second;
  });
  std::vector<std::uint32_t> order;
  for (const auto& place : recency.oldest_first(traces)) order.push_back(place.trace);
  RC_ASSERT(order == expected);
  RC_ASSERT(recency.up_to_date());
}

}  // namespace
}  // namespace raceway::server::memory
