#include "graph/selection.hpp"

namespace heapdiff {

Status select_types(const Heap& heap, std::span<const uint8_t> group_of_type, Array<uint8_t>& group) noexcept {
    if (!group.resize(heap.object_count())) return Status::out_of_memory;
    for (size_t object = 0; object < heap.object_count(); ++object) {
        if (heap.type[object] >= group_of_type.size()) return Status::malformed;
        group[object] = group_of_type[heap.type[object]];
    }
    return Status::ok;
}

Status objects_at(std::span<const uint32_t> node_of, std::span<const uint8_t> wanted,
                  Array<uint32_t>& objects) noexcept {
    for (size_t object = 0; object < node_of.size(); ++object) {
        uint32_t node = node_of[object];
        if (node < wanted.size() && wanted[node] && !objects.push(static_cast<uint32_t>(object)))
            return Status::out_of_memory;
    }
    return Status::ok;
}

Status children_of(std::span<const uint32_t> node_parent, uint32_t node, Array<uint32_t>& children) noexcept {
    for (size_t child = 1; child < node_parent.size(); ++child)
        if (node_parent[child] == node && !children.push(static_cast<uint32_t>(child))) return Status::out_of_memory;
    return Status::ok;
}

Status state_totals(const Heap& heap, const PathsView& paths, StateTotals& totals) noexcept {
    if (!totals.objects.resize(kObjectStates) || !totals.bytes.resize(kObjectStates)) return Status::out_of_memory;
    for (size_t object = 1; object < heap.object_count(); ++object) {
        uint8_t state = paths.state[object];
        if (state >= kObjectStates) return Status::malformed;
        ++totals.objects[state];
        totals.bytes[state] += heap.shallow_bytes(static_cast<ObjectId>(object));
    }
    return Status::ok;
}

} // namespace heapdiff
