// The shortest chain from the roots to every object, and with it what is live, garbage and our own.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"

namespace heapdiff {

enum ObjectState : uint8_t {
    kGarbage = 0, // no root reaches it
    kLive = 1,
    kOwnState = 2, // made by heapdiff, or held by nothing but what heapdiff made
};

// What shortest_paths() writes; every column has n numbers.
struct Paths {
    Array<uint8_t> state;     // ObjectState
    Array<uint32_t> parent;   // the object before it on its chain; kNone for the root and what is not live
    Array<uint32_t> via;      // the edge that leads there; kNone likewise
    Array<uint8_t> is_shared; // 1 where more than one holding reference of live objects leads there
};

// The same as other passes read it.
struct PathsView {
    std::span<const uint8_t> state;
    std::span<const uint32_t> parent;
    std::span<const uint32_t> via;
    std::span<const uint8_t> is_shared;

    bool is_live(ObjectId object) const { return state[object] == kLive; }
};

// Breadth first with two queues: a reference that is_secondary() is followed only when no other
// leads anywhere new. Objects marked 1 in `without` (empty, or n numbers) are not entered.
// Ties go to the reference that comes first. Never throws and touches no global state.
Status shortest_paths(const Heap& heap, std::span<const uint8_t> without, Paths& paths) noexcept;

} // namespace heapdiff
