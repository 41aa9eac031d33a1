// What each object alone keeps alive: the dominator tree of the live objects and retained sizes.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"
#include "graph/paths.hpp"

namespace heapdiff {

struct Dominators {
    Array<uint32_t> immediate; // n: kNone for the root and what is not live
    Array<uint64_t> retained;  // n: bytes; 0 where not live
};

// Writes the immediate dominator and the retained bytes of each object; those of the root are
// the sum over live objects. Time O(m log n) however the heap is drawn. Never throws and touches
// no global state. Source: Lengauer & Tarjan, TOPLAS 1(1), 1979; Georgiadis, "Linear-Time
// Algorithms for Dominators and Related Problems", 2005 (Semi-NCA); Myers, "An applicative
// random-access stack", 1983 (the jumps that keep Semi-NCA from going quadratic).
Status dominators(const Heap& heap, const PathsView& paths, Dominators& result) noexcept;

} // namespace heapdiff
