#include "graph/types.hpp"

#include "graph/key_map.hpp"
#include "graph/top_down.hpp"

namespace heapdiff {
namespace {

// The types on the way from the root to an object, each once, as a chain of shared nodes. Unlike
// the nodes of a profile no type is ever dropped from a chain, or its next object would count twice.
struct TypeChains {
    Array<uint32_t> above, type;
    KeyMap children;

    uint32_t add(uint32_t node, uint32_t node_type) noexcept {
        if (!above.push(node) || !type.push(node_type)) return kNone;
        return static_cast<uint32_t>(above.size() - 1);
    }
    // The node below with that type; the same node where the chain has it already; kNone without memory.
    uint32_t below(uint32_t node, uint32_t wanted) noexcept {
        if (!children.prepare()) return kNone;
        uint32_t& child = children.at(node, wanted, 0);
        if (child == kNone) child = has(node, wanted) ? node : add(node, wanted);
        return child;
    }
    bool has(uint32_t node, uint32_t wanted) const noexcept {
        for (; node != 0; node = above[node])
            if (type[node] == wanted) return true;
        return false;
    }
};

} // namespace

Status type_totals(const Heap& heap, size_t type_count, const PathsView& paths, TypeTotals& totals) noexcept {
    if (!totals.objects.resize(type_count) || !totals.bytes.resize(type_count)) return Status::out_of_memory;
    for (size_t v = 1; v < heap.object_count(); ++v) {
        if (!paths.is_live(static_cast<ObjectId>(v))) continue;
        totals.objects[heap.type[v]] += 1;
        totals.bytes[heap.type[v]] += heap.shallow_bytes(static_cast<ObjectId>(v));
    }
    return Status::ok;
}

Status type_retained(const Heap& heap, size_t type_count, std::span<const uint32_t> immediate_dominator,
                     std::span<const uint64_t> retained_bytes, Array<uint64_t>& bytes) noexcept {
    Array<uint8_t> dominates; // whether any object of the type retains more than itself
    if (!bytes.resize(type_count) || !dominates.resize(type_count)) return Status::out_of_memory;
    size_t n = heap.object_count();
    for (size_t v = 1; v < n; ++v)
        if (retained_bytes[v] > heap.shallow[v]) dominates[heap.type[v]] = 1;
    for (size_t v = 1; v < n; ++v) // objects of all other types, most of a heap, cannot be nested
        if (!dominates[heap.type[v]]) bytes[heap.type[v]] += retained_bytes[v];

    TypeChains chains;
    Array<uint32_t> node_of;
    if (chains.add(kNone, 0) == kNone) return Status::out_of_memory;
    auto visit = [&](uint32_t object) {
        uint32_t node = node_of[immediate_dominator[object]], type = heap.type[object];
        uint32_t child = chains.below(node, type);
        if (child != node && dominates[type]) bytes[type] += retained_bytes[object];
        return child;
    };
    return visit_top_down(
        immediate_dominator, node_of, [&](size_t v) { return dominates[heap.type[v]] != 0; }, visit, [](size_t) {});
}

} // namespace heapdiff
