// Which objects belong to what a caller asks for, and how much is live, garbage and our own.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"
#include "graph/paths.hpp"

namespace heapdiff {

inline constexpr size_t kObjectStates = 3;

struct StateTotals {
    Array<uint64_t> objects; // by ObjectState
    Array<uint64_t> bytes;   // shallow
};

// Writes the group of each object by the group of its type (0: none), as retained_by_groups() takes
// them; `group_of_type` has a number for each type. None of them throws or touches global state.
Status select_types(const Heap& heap, std::span<const uint8_t> group_of_type, Array<uint8_t>& group) noexcept;

// Writes the objects, ascending, whose node in `node_of` is marked in `wanted`.
Status objects_at(std::span<const uint32_t> node_of, std::span<const uint8_t> wanted,
                  Array<uint32_t>& objects) noexcept;

// Writes the nodes, ascending, whose parent is `node`; the root is no child of itself.
Status children_of(std::span<const uint32_t> node_parent, uint32_t node, Array<uint32_t>& children) noexcept;

// Counts objects and shallow bytes of each state; the virtual root is not counted.
Status state_totals(const Heap& heap, const PathsView& paths, StateTotals& totals) noexcept;

} // namespace heapdiff
