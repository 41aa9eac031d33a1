// Visits every object after its parent, given only the array of parents: no order, no children, no recursion.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"
#include "graph/prefetch.hpp"

namespace heapdiff {

// Sets node_of[v] = visit(v) for the root first (node 0) and then for each object that wanted(v)
// and its ancestors, parents before children; visit() says kNone when memory ran out. Objects
// without a parent stay kNone. A parent array with a cycle is malformed.
template <class Wanted, class Visit, class Fetch> Status visit_top_down(std::span<const uint32_t> parent,
                                                                        Array<uint32_t>& node_of, Wanted wanted,
                                                                        Visit visit, Fetch fetch_more) noexcept {
    size_t n = parent.size();
    if (!node_of.resize(n)) return Status::out_of_memory;
    for (size_t v = 0; v < n; ++v) node_of[v] = kNone;
    node_of[kRoot] = 0;
    Array<uint32_t> waiting;
    for (size_t v = 1; v < n; ++v) {
        if (v + kAhead < n && parent[v + kAhead] != kNone) {
            fetch(&node_of[parent[v + kAhead]]);
            fetch_more(v + kAhead);
        }
        if (parent[v] == kNone || node_of[v] != kNone || !wanted(v)) continue;
        uint32_t object = static_cast<uint32_t>(v);
        while (node_of[parent[object]] == kNone) {
            if (waiting.size() == n) return Status::malformed;
            if (!waiting.push(object)) return Status::out_of_memory;
            object = parent[object];
            if (parent[object] == kNone) return Status::malformed;
        }
        for (;;) {
            if ((node_of[object] = visit(object)) == kNone) return Status::out_of_memory;
            if (waiting.empty()) break;
            object = waiting.back();
            waiting.pop();
        }
    }
    return Status::ok;
}

} // namespace heapdiff
