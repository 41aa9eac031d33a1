// Whether numbers point inside: what a caller hands back to us may belong to another heap.
#pragma once

#include "graph/heap.hpp"

#include <span>

namespace heapdiff {

// Every number is below the limit, or kNone. Without a branch, so that it costs next to nothing.
inline bool points_inside(std::span<const uint32_t> numbers, size_t limit) noexcept {
    bool outside = false;
    for (uint32_t number : numbers) outside |= number >= limit && number != kNone;
    return !outside;
}

} // namespace heapdiff
