// A hash map from three numbers to one: open addressing in pages of its own, no exceptions.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"

#include <cstdint>

namespace heapdiff {

class KeyMap {
  public:
    // Makes room for one more key; false when there is no memory. Call it before at().
    [[nodiscard]] bool prepare() noexcept {
        if (used_ * 2 < entries_.size()) return true;
        return grow(entries_.empty() ? 256 : entries_.size() * 2);
    }
    // What is kept under the key; kNone under a new one, and the caller writes the number there.
    uint32_t& at(uint32_t a, uint32_t b, uint32_t c) noexcept {
        Entry& entry = place(entries_, a, b, c);
        if (entry.number == kNone) {
            ++used_;
            entry = {a, b, c, kNone};
        }
        return entry.number;
    }
    // What is kept under the key, kNone where nothing is.
    uint32_t find(uint32_t a, uint32_t b, uint32_t c) noexcept {
        return entries_.empty() ? kNone : place(entries_, a, b, c).number;
    }

  private:
    struct Entry {
        uint32_t a, b, c, number;
    };

    static Entry& place(Array<Entry>& entries, uint32_t a, uint32_t b, uint32_t c) noexcept {
        size_t mask = entries.size() - 1;
        for (size_t at = hash(a, b, c) & mask;; at = (at + 1) & mask) {
            Entry& entry = entries[at];
            if (entry.number == kNone || (entry.a == a && entry.b == b && entry.c == c)) return entry;
        }
    }
    static size_t hash(uint32_t a, uint32_t b, uint32_t c) noexcept {
        uint64_t mixed = (uint64_t{a} << 32 | b) * 0x9E3779B97F4A7C15u;
        mixed = (mixed ^ mixed >> 29 ^ uint64_t{c} * 0xD6E8FEB86659FD93u) * 0xBF58476D1CE4E5B9u;
        return mixed >> 32;
    }
    bool grow(size_t count) noexcept {
        Array<Entry> larger;
        if (!larger.resize(count)) return false;
        for (size_t i = 0; i < count; ++i) larger[i].number = kNone;
        for (const Entry& entry : entries_.span())
            if (entry.number != kNone) place(larger, entry.a, entry.b, entry.c) = entry;
        entries_.swap(larger);
        return true;
    }

    Array<Entry> entries_;
    size_t used_ = 0;
};

} // namespace heapdiff
