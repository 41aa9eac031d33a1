#include "graph/survivors.hpp"

namespace heapdiff {

Status survivors(const Heap& base, const PathsView& base_paths, const Heap& now, const PathsView& now_paths,
                 const Matching& matching, bool same_epoch, Array<uint8_t>& survived, uint64_t& recycled) noexcept {
    recycled = 0;
    if (!survived.resize(now.object_count())) return Status::out_of_memory;
    for (size_t v = 1, b = 1; v < now.object_count(); ++v) {
        while (b < base.object_count() && base.address[b] < now.address[v]) ++b;
        if (b == base.object_count()) break;
        if (base.address[b] != now.address[v] || !base_paths.is_live(static_cast<ObjectId>(b)) ||
            !now_paths.is_live(static_cast<ObjectId>(v)) ||
            matching.type_of_base[base.type[b]] != matching.type_of_now[now.type[v]])
            continue;
        survived[v] = 1;
        if (!same_epoch) continue;
        if (base.flags[b] & now.flags[v] & (kFrozen | kImmortal | kStatic)) {
            survived[v] = 2;
        } else if (base.flags[b] & kFrozen) {
            survived[v] = 0;
            ++recycled;
        }
    }
    return Status::ok;
}

} // namespace heapdiff
