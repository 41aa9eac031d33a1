// Objects, shallow and retained bytes of every type.
#pragma once

#include "graph/array.hpp"
#include "graph/heap.hpp"
#include "graph/paths.hpp"

namespace heapdiff {

struct TypeTotals {
    Array<uint64_t> objects; // t: live ones
    Array<uint64_t> bytes;
};

// Neither throws nor touches global state; `type_count` is t.
Status type_totals(const Heap& heap, size_t type_count, const PathsView& paths, TypeTotals& totals) noexcept;

// For each type the retained bytes of its objects, where one that stands below another of the
// same type in the dominator tree is counted once: at most what the whole set retains.
Status type_retained(const Heap& heap, size_t type_count, std::span<const uint32_t> immediate_dominator,
                     std::span<const uint64_t> retained_bytes, Array<uint64_t>& bytes) noexcept;

} // namespace heapdiff
