// What would be freed if all objects of a group went at once, for many groups in one pass.
#pragma once

#include "graph/heap.hpp"

#include <array>

namespace heapdiff {

inline constexpr size_t kGroups = 64; // 0 is no group

struct GroupTotals {
    std::array<uint64_t, kGroups> bytes{};
    std::array<uint64_t, kGroups> objects{};
};

// `group` has n numbers: 0 for none, 1 … 63 for the group of that object. Exact: every live
// object that no reference reaches without passing a member is counted, members included.
// Never throws and touches no global state.
Status retained_by_groups(const Heap& heap, std::span<const uint8_t> group, GroupTotals& totals) noexcept;

} // namespace heapdiff
