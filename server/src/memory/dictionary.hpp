// Texts that many events share (names, locations, the shapes of metadata), kept once and known by a number.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/keyed_hash.hpp"

namespace raceway::server::memory {

/// A text gets in when it is seen for the second time, so that what comes once (urls, arguments) stays out. What is in
/// stays as long as the dictionary. A dictionary is bounded; when it is full the store starts the next one for new
/// traces, and a full one goes when the last trace that was written with it goes.
///
/// Thread-safe. Looking up takes no lock.
class Dictionary {
 public:
  static constexpr std::size_t max_texts = 32'768;
  static constexpr std::size_t max_bytes = std::size_t{2} << 20U;
  static constexpr std::size_t longest_text = 2'048;

  /// Adds to `total`, where there is one, what it takes of the heap, and takes it off in the end.
  explicit Dictionary(std::atomic<std::size_t>* total = nullptr);
  /// One that has these texts already, their numbers as they stand: at most max_texts, none longer than longest_text.
  Dictionary(std::span<const std::string> texts, std::atomic<std::size_t>* total);
  ~Dictionary();
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  /// The number of a text that is in, or gets in now. Numbers count from 0, the first ones for what came first.
  std::optional<std::uint32_t> number_of(std::string_view text);

  /// The text of a number that number_of answered; throws DamagedBytes for any other. Stays where it is as long as the
  /// dictionary.
  std::string_view text(std::uint64_t number) const {
    if (number >= count_.load(std::memory_order_acquire)) [[unlikely]]
      throw_no_such_text();
    return (*pages_[number / page_size])[number % page_size];
  }

  /// How many are in.
  std::uint32_t count() const { return count_.load(std::memory_order_acquire); }

  /// Another one for each dictionary of the process.
  std::uint64_t serial() const { return serial_; }

  bool full() const { return full_.load(std::memory_order_relaxed); }

  /// What it takes of the heap, beside itself.
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t page_size = 1'024;
  /// The hashes of a few texts that were seen once, the last one first.
  using Sights = std::array<std::atomic<std::uint32_t>, 4>;
  static constexpr std::size_t sight_places = 4'096;
  using Page = std::array<std::string_view, page_size>;
  struct Slots;

  const Slots* slots() const { return slots_.load(std::memory_order_acquire); }
  [[noreturn]] static void throw_no_such_text();
  std::optional<std::uint32_t> find(const Slots& slots, std::uint64_t hash, std::string_view text) const;
  bool seen_before(std::uint64_t hash);
  std::optional<std::uint32_t> admit(std::uint64_t hash, std::string_view text);
  std::uint32_t add(std::uint64_t hash, std::string_view text);
  void count_bytes();
  std::string_view keep(std::string_view text);
  void grow_slots();

  const std::uint64_t serial_;
  const storage::HashKey key_ = storage::HashKey::random();
  std::unique_ptr<std::array<Sights, sight_places>> seen_;
  std::atomic<const Slots*> slots_;
  std::atomic<bool> full_ = false;
  // A page is written before the slot that leads to it is published.
  std::array<std::unique_ptr<Page>, max_texts / page_size> pages_;

  std::atomic<std::size_t>* const total_;
  std::atomic<std::size_t> bytes_ = 0;
  mutable std::mutex mutex_;                       // of what follows
  std::vector<std::unique_ptr<Slots>> all_slots_;  // the outgrown ones too: a reader may still be in them
  std::vector<std::unique_ptr<char[]>> blocks_;    // of texts
  std::size_t block_left_ = 0;
  std::size_t text_bytes_ = 0;
  std::atomic<std::uint32_t> count_ = 0;
};

}  // namespace raceway::server::memory
