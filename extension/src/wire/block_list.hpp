// Items one after the other, which stay where they are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory_resource>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace raceway::wire {

/// Grows block by block, so that it never takes much more than what it holds.
template <class T>
class BlockList {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  explicit BlockList(std::pmr::memory_resource& memory) : memory_(&memory) {}
  BlockList(BlockList&& other) noexcept : memory_(other.memory_) { swap(other); }
  BlockList& operator=(BlockList&& other) noexcept {
    swap(other);
    return *this;
  }
  ~BlockList() { clear(); }

  T& emplace_back() {
    if (next_ == block_end_) add_block();
    *next_ = {};
    return *next_++;
  }
  /// Takes back the one that was just added.
  void pop_back() { --next_; }
  void clear() {
    for (std::size_t at = 0; at < blocks_.size(); ++at) memory_->deallocate(blocks_[at], size_of_block(at) * sizeof(T));
    blocks_.clear();
    next_ = block_end_ = nullptr;
    capacity_ = 0;
  }

  bool empty() const { return size() == 0; }
  std::size_t size() const { return capacity_ - static_cast<std::size_t>(block_end_ - next_); }
  T& back() { return next_[-1]; }
  const T& operator[](std::size_t at) const {
    if (at < first_block) return blocks_.front()[at];
    return blocks_[(at - first_block) / block + 1][(at - first_block) % block];
  }
  /// Throws std::out_of_range.
  const T& at(std::size_t place) const {
    if (place >= size()) throw std::out_of_range("nothing stands at that place");
    return (*this)[place];
  }

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    Iterator() = default;
    Iterator(const BlockList& list, std::size_t at) : list_(&list), at_(at) {}
    reference operator*() const { return (*list_)[at_]; }
    pointer operator->() const { return &(*list_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++at_;
      return before;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const BlockList* list_ = nullptr;
    std::size_t at_ = 0;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  // The first block is small, for many lists are.
  static constexpr std::size_t first_block = std::max<std::size_t>(4, 256 / sizeof(T));
  static constexpr std::size_t block = (std::size_t{16} << 10U) / sizeof(T);
  static constexpr std::size_t size_of_block(std::size_t at) { return at == 0 ? first_block : block; }

  void add_block() {
    const std::size_t size = size_of_block(blocks_.size());
    blocks_.reserve(blocks_.size() + 1 + blocks_.size() / 2);
    blocks_.push_back(static_cast<T*>(memory_->allocate(size * sizeof(T))));
    next_ = blocks_.back();
    block_end_ = next_ + size;
    capacity_ += size;
  }

  void swap(BlockList& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(blocks_, other.blocks_);
    std::swap(next_, other.next_);
    std::swap(block_end_, other.block_end_);
    std::swap(capacity_, other.capacity_);
  }

  std::pmr::memory_resource* memory_;
  std::vector<T*> blocks_;
  T* next_ = nullptr;
  T* block_end_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace raceway::wire
