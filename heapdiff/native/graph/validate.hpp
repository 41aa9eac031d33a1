// Whether a snapshot's columns fit together, so that no pass can read outside of them.
#pragma once

#include "graph/heap.hpp"
#include "graph/tables.hpp"

#include <array>

namespace heapdiff {

// Objects with more references than the graph explains, ascending, and how many more.
struct NativeHeld {
    std::span<const uint32_t> object, count;
};

// A whole snapshot, as validate() reads it.
struct SnapshotView {
    Heap heap;
    Types types;
    Texts texts;
    Sites sites;
    NativeHeld native_held;
};

using Sentence = std::array<char, 200>;

// Writes what is wrong first, where, and what was expected; Status::malformed then. Lengths are
// trusted nowhere. Never throws and touches no global state.
Status validate(const SnapshotView& snapshot, Sentence& problem) noexcept;

} // namespace heapdiff
