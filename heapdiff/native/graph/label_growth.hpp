// Two trees of nodes, subtracted: the base from now.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"
#include "graph/node_tree.hpp"
#include "graph/text_match.hpp"

namespace heapdiff {

// Only nodes whose own objects or bytes differ, in the order of base's nodes, new ones behind.
struct LabelGrowth {
    Array<uint32_t> base_node, now_node; // kNone where the path does not exist there
    Array<uint64_t> objects_base, objects_now, bytes_base, bytes_now;
};

// Nodes are the same where their parents are, and labels and types are by text. Works for label
// trees and for profiles. Never throws and touches no global state.
Status label_growth(const NodeTreeView& base, const NodeTreeView& now, const Matching& matching,
                    LabelGrowth& growth) noexcept;

} // namespace heapdiff
