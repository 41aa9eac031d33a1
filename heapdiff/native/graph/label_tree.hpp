// The tree of label paths: chains with identities removed, objects and bytes at each node.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"
#include "graph/node_tree.hpp"
#include "graph/paths.hpp"
#include "graph/tables.hpp"

namespace heapdiff {

// The label without what differs from object to object: positions, and keys that are data.
constexpr uint32_t normalised(uint32_t label) {
    switch (kind_of(label)) {
    case LabelKind::element:
    case LabelKind::member:
    case LabelKind::key_of_type:
    case LabelKind::key_object:
    case LabelKind::cache_entry:
    case LabelKind::stack: return make_label(kind_of(label));
    // A C type with many fields is a container whose positions mean nothing.
    case LabelKind::field: return payload_of(label) < 8 ? label : make_label(LabelKind::field, 8);
    default: return label;
    }
}

struct LabelTree {
    Array<uint32_t> node_of; // n: kNone where not live
    NodeTree nodes;
};

// Folds the chains of all live objects. What a namespace dict holds under an identifier belongs
// to the dict's owner, as an attribute, so that it does not matter whether CPython has made the
// dict. An object whose (label, type) one of the last eight nodes above has joins that node, so
// that a linked list is one node. Never throws and touches no global state.
Status label_tree(const Heap& heap, const Types& types, const Texts& texts, const PathsView& paths,
                  LabelTree& tree) noexcept;

} // namespace heapdiff
