// A set of addresses that numbers its members in their order.
#pragma once

#include "graph/array.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <new>
#include <vector>

namespace heapdiff {

// One bit for each 8 bytes of address, in leaves of 1 MiB that a small hash table finds. A tenth of the
// memory of a hash table of addresses, and several times faster: the leaves of a heap of gigabytes
// stay in the processor's cache. Objects are aligned to 8 bytes at least.
class AddressSet {
  public:
    struct Leaf {
        uint64_t bits[2048];
        uint32_t rank[2048]; // members before each word, once number() has run
    };

    // The word of an address and, in *mask, its bit; null when memory ran out.
    uint64_t* word(uint64_t address, uint64_t* mask) noexcept {
        *mask = uint64_t{1} << (address >> 3 & 63);
        Leaf* leaf = (address >> 20) == last_key_ ? last_leaf_ : find_or_add(address >> 20);
        return leaf == nullptr ? nullptr : &leaf->bits[address >> 9 & 2047];
    }
    bool insert(uint64_t address, bool* out_of_memory) noexcept {
        uint64_t mask = 0;
        uint64_t* bits = word(address, &mask);
        if (bits == nullptr) {
            *out_of_memory = true;
            return false;
        }
        bool fresh = !(*bits & mask);
        *bits |= mask;
        return fresh;
    }
    // Numbers the members 0, 1, 2 … in the order of their addresses.
    void number() {
        std::vector<std::pair<uint64_t, Leaf*>> leaves;
        for (size_t i = 0; i < keys_.size(); ++i)
            if (keys_[i] != kEmpty) leaves.emplace_back(keys_[i], leaves_[i]);
        std::sort(leaves.begin(), leaves.end());
        uint32_t members = 0;
        for (auto& [key, leaf] : leaves)
            for (size_t i = 0; i < 2048; ++i) {
                leaf->rank[i] = members;
                members += static_cast<uint32_t>(std::popcount(leaf->bits[i]));
            }
    }
    bool contains(uint64_t address) const noexcept {
        const Leaf* leaf = find(address >> 20);
        return leaf != nullptr && (leaf->bits[address >> 9 & 2047] >> (address >> 3 & 63) & 1);
    }
    // The number of a member, after number().
    uint32_t rank(uint64_t address) const noexcept {
        const Leaf* leaf = find(address >> 20);
        size_t i = address >> 9 & 2047;
        return leaf->rank[i] +
               static_cast<uint32_t>(std::popcount(leaf->bits[i] & ((uint64_t{1} << (address >> 3 & 63)) - 1)));
    }
    void prefetch_rank(uint64_t address) const noexcept {
        if (const Leaf* leaf = find(address >> 20)) __builtin_prefetch(&leaf->bits[address >> 9 & 2047]);
    }
    size_t bytes() const noexcept { return used_ * sizeof(Leaf) + keys_.mapped_bytes() + leaves_.mapped_bytes(); }

  private:
    static constexpr uint64_t kEmpty = 0; // the first MiB of the address space is never mapped
    static constexpr size_t kChunk = 64;  // leaves mapped at a time; they never move

    size_t slot(uint64_t key) const noexcept { return (key * 0x9E3779B97F4A7C15ull) >> shift_; }
    Leaf* find(uint64_t key) const noexcept {
        if (keys_.empty()) return nullptr;
        for (size_t i = slot(key);; i = (i + 1) & (keys_.size() - 1)) {
            if (keys_[i] == key) return leaves_[i];
            if (keys_[i] == kEmpty) return nullptr;
        }
    }
    Leaf* find_or_add(uint64_t key) noexcept {
        Leaf* leaf = find(key);
        if (leaf == nullptr) leaf = add(key);
        if (leaf != nullptr) {
            last_key_ = key;
            last_leaf_ = leaf;
        }
        return leaf;
    }
    Leaf* add(uint64_t key) noexcept {
        if (used_ * 2 >= keys_.size() && !grow()) return nullptr;
        if (used_ % kChunk == 0) {
            Array<Leaf> chunk;
            if (!chunk.resize(kChunk)) return nullptr;
            try {
                chunks_.push_back(std::move(chunk));
            } catch (const std::bad_alloc&) {
                return nullptr;
            }
        }
        Leaf* leaf = &chunks_.back()[used_ % kChunk];
        ++used_;
        put(key, leaf);
        return leaf;
    }
    void put(uint64_t key, Leaf* leaf) noexcept {
        size_t i = slot(key);
        while (keys_[i] != kEmpty) i = (i + 1) & (keys_.size() - 1);
        keys_[i] = key;
        leaves_[i] = leaf;
    }
    bool grow() noexcept {
        size_t room = keys_.empty() ? 4096 : keys_.size() * 2;
        Array<uint64_t> old_keys;
        Array<Leaf*> old_leaves;
        old_keys.swap(keys_);
        old_leaves.swap(leaves_);
        if (!keys_.resize(room) || !leaves_.resize(room)) return false;
        shift_ = 64 - std::countr_zero(room);
        for (size_t i = 0; i < old_keys.size(); ++i)
            if (old_keys[i] != kEmpty) put(old_keys[i], old_leaves[i]);
        return true;
    }

    Array<uint64_t> keys_;
    Array<Leaf*> leaves_;
    std::vector<Array<Leaf>> chunks_;
    size_t used_ = 0;
    int shift_ = 64;
    uint64_t last_key_ = kEmpty;
    Leaf* last_leaf_ = nullptr;
};

} // namespace heapdiff
