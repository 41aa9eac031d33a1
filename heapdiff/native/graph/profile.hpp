// The dominator tree folded by type: a heap as pprof shows one.
#pragma once

#include "graph/heap.hpp"
#include "graph/node_tree.hpp"

namespace heapdiff {

// A node's stack is the types that dominate its objects, from the root; flat is `bytes`, cum the
// sum over the nodes below. An object of a type that stands in the stack already joins that node,
// so that recursion counts once. Labels are all 0. Never throws and touches no global state.
Status dominator_profile(const Heap& heap, std::span<const uint32_t> immediate_dominator, NodeTree& nodes) noexcept;

} // namespace heapdiff
