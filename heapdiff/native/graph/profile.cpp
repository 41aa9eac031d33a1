#include "graph/profile.hpp"

#include "graph/key_map.hpp"
#include "graph/top_down.hpp"

namespace heapdiff {
namespace {

uint32_t ancestor_of_type(const NodeTree& nodes, uint32_t node, uint32_t type) noexcept {
    for (; node != 0; node = nodes.parent[node])
        if (nodes.type[node] == type) return node;
    return kNone;
}

} // namespace

Status dominator_profile(const Heap& heap, std::span<const uint32_t> immediate_dominator, NodeTree& nodes) noexcept {
    if (nodes.add(kNone, 0, 0) == kNone) return Status::out_of_memory;
    nodes.count(0, heap.shallow_bytes(kRoot));
    Array<uint32_t> node_of;
    KeyMap children;
    auto visit = [&](uint32_t object) {
        uint32_t node = node_of[immediate_dominator[object]], type = heap.type[object];
        if (!children.prepare()) return kNone;
        uint32_t& child = children.at(node, type, 0);
        if (child == kNone) child = ancestor_of_type(nodes, node, type);
        if (child == kNone) child = nodes.add(node, 0, type);
        if (child != kNone) nodes.count(child, heap.shallow_bytes(object));
        return child;
    };
    return visit_top_down(immediate_dominator, node_of, [](size_t) { return true; }, visit, [](size_t) {});
}

} // namespace heapdiff
