// Live objects and their bytes by where and as what they were allocated.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"
#include "graph/paths.hpp"

namespace heapdiff {

// One row for each (site row, type row) that occurs, sorted.
struct SiteTotals {
    Array<uint32_t> site, type;
    Array<uint64_t> objects, bytes;
};

// `site_of` has n numbers. Never throws and touches no global state.
Status site_totals(const Heap& heap, std::span<const uint32_t> site_of, const PathsView& paths,
                   SiteTotals& totals) noexcept;

} // namespace heapdiff
