#include "graph/sites.hpp"

#include "graph/key_map.hpp"

#include <algorithm>

namespace heapdiff {
namespace {

struct Row {
    uint32_t site, type;
    uint64_t objects, bytes;

    bool operator<(const Row& other) const { return site != other.site ? site < other.site : type < other.type; }
};

} // namespace

Status site_totals(const Heap& heap, std::span<const uint32_t> site_of, const PathsView& paths,
                   SiteTotals& totals) noexcept {
    KeyMap known;
    Array<Row> rows;
    for (size_t v = 1; v < heap.object_count(); ++v) {
        if (!paths.is_live(static_cast<ObjectId>(v))) continue;
        if (!known.prepare()) return Status::out_of_memory;
        uint32_t& row = known.at(site_of[v], heap.type[v], 0);
        if (row == kNone) {
            if (!rows.push({site_of[v], heap.type[v], 0, 0})) return Status::out_of_memory;
            row = static_cast<uint32_t>(rows.size() - 1);
        }
        rows[row].objects += 1;
        rows[row].bytes += heap.shallow_bytes(static_cast<ObjectId>(v));
    }
    std::sort(rows.span().begin(), rows.span().end());
    for (const Row& row : rows.span())
        if (!totals.site.push(row.site) || !totals.type.push(row.type) || !totals.objects.push(row.objects) ||
            !totals.bytes.push(row.bytes))
            return Status::out_of_memory;
    return Status::ok;
}

} // namespace heapdiff
