// A tree of nodes that objects are folded into: by label path or by dominating types.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"

namespace heapdiff {

// Nodes are numbered parents first; node 0 is the virtual root.
struct NodeTree {
    Array<uint32_t> parent; // kNone for node 0
    Array<uint32_t> label;
    Array<uint32_t> type;
    Array<uint64_t> objects; // in this very node, not below
    Array<uint64_t> bytes;

    // The new node's number, or kNone when there is no memory.
    uint32_t add(uint32_t parent_node, uint32_t node_label, uint32_t node_type) noexcept {
        if (!parent.push(parent_node) || !label.push(node_label) || !type.push(node_type) || !objects.push(0) ||
            !bytes.push(0))
            return kNone;
        return static_cast<uint32_t>(parent.size() - 1);
    }
    void count(uint32_t node, uint64_t shallow_bytes) noexcept {
        objects[node] += 1;
        bytes[node] += shallow_bytes;
    }
};

// The same as other passes read it.
struct NodeTreeView {
    std::span<const uint32_t> parent, label, type;
    std::span<const uint64_t> objects, bytes;

    size_t count() const { return parent.size(); }
};

} // namespace heapdiff
