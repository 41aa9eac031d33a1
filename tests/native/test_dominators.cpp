// Dominators and retained sizes against their definition, and on shapes that make them slow or deep.
#include "drawn_heap.hpp"
#include "graph/dominators.hpp"
#include "graph/groups.hpp"
#include "testing.hpp"

using namespace heapdiff;
using namespace heapdiff::testing;

namespace {

struct Analysed {
    Paths paths;
    Dominators dominators;
    Status status;
};

Analysed analyse(const Heap& heap) {
    Analysed result;
    result.status = shortest_paths(heap, {}, result.paths);
    if (result.status == Status::ok)
        result.status = heapdiff::dominators(heap, view_of(result.paths), result.dominators);
    return result;
}

bool retains_what_its_removal_frees(const Heap& heap, const Analysed& analysed) {
    size_t n = heap.object_count();
    std::vector<uint8_t> without(n);
    std::vector<uint8_t> live = reachable(heap, without);
    for (uint32_t object = 1; object < n; ++object) {
        without[object] = 1;
        std::vector<uint8_t> left = reachable(heap, without);
        without[object] = 0;
        uint64_t freed = 0;
        for (uint32_t v = 1; v < n; ++v) freed += live[v] && !left[v] ? heap.shallow_bytes(v) : 0;
        if (analysed.dominators.retained[object] != freed) return false;
    }
    return true;
}

} // namespace

TEST(retained_bytes_are_what_the_removal_of_an_object_frees) {
    for (uint32_t seed = 0; seed < 60; ++seed) {
        DrawnHeap drawn = random_heap(seed, 40 + seed * 4, 1.2 + seed % 3);
        Heap heap = drawn.heap();
        Analysed analysed = analyse(heap);
        CHECK(analysed.status == Status::ok);
        CHECK(retains_what_its_removal_frees(heap, analysed));
    }
}

TEST(groups_retain_what_the_removal_of_all_members_frees) {
    for (uint32_t seed = 0; seed < 60; ++seed) {
        DrawnHeap drawn = random_heap(seed, 100, 1.2 + seed % 3);
        Heap heap = drawn.heap();
        size_t n = heap.object_count();
        std::vector<uint8_t> group(n);
        for (size_t v = 1; v < n; ++v) group[v] = v % 5 == 0 ? static_cast<uint8_t>(1 + v % 63) : 0;
        GroupTotals totals;
        CHECK(retained_by_groups(heap, group, totals) == Status::ok);
        std::vector<uint8_t> live = reachable(heap, std::vector<uint8_t>(n));
        for (size_t g = 1; g < kGroups; ++g) {
            std::vector<uint8_t> without(n);
            for (size_t v = 0; v < n; ++v) without[v] = group[v] == g;
            std::vector<uint8_t> left = reachable(heap, without);
            uint64_t freed = 0;
            for (uint32_t v = 1; v < n; ++v) freed += live[v] && !left[v] ? heap.shallow_bytes(v) : 0;
            CHECK(totals.bytes[g] == freed);
        }
    }
}

// Semi-NCA without its jumps takes time n * n here: every element's dominator is the holder of the
// index, but its parent in the walk is deep down in the list.
TEST(a_list_whose_elements_an_index_holds_too_is_no_slower_than_others) {
    constexpr uint32_t length = 1'000'000;
    DrawnHeap drawn(2 * length + 2);
    uint32_t index = 2 * length + 1;
    drawn.refer(kRoot, 1).refer(kRoot, index);
    for (uint32_t i = 1; i <= length; ++i) {
        if (i < length) drawn.refer(i, i + 1);
        drawn.refer(i, length + i).refer(index, length + i).refer(length + i, length + i);
    }
    Analysed analysed = analyse(drawn.heap());
    CHECK(analysed.status == Status::ok);
    CHECK(analysed.dominators.immediate[length + 7] == kRoot);
    CHECK(analysed.dominators.immediate[7] == 6);
}

TEST(a_list_linked_both_ways_is_dominated_from_its_head) {
    constexpr uint32_t length = 1'000'000;
    DrawnHeap drawn(length + 1);
    drawn.refer(kRoot, 1);
    for (uint32_t i = 1; i < length; ++i) drawn.refer(i, i + 1).refer(i + 1, i);
    Analysed analysed = analyse(drawn.heap());
    CHECK(analysed.status == Status::ok);
    CHECK(analysed.dominators.immediate[length] == length - 1);
    CHECK(analysed.dominators.retained[1] == analysed.dominators.retained[kRoot]);
}

TEST(what_two_roots_hold_is_dominated_by_the_virtual_root) {
    DrawnHeap drawn(4);
    drawn.refer(kRoot, 1).refer(kRoot, 2).refer(1, 3).refer(2, 3);
    Analysed analysed = analyse(drawn.heap());
    CHECK(analysed.dominators.immediate[3] == kRoot);
}

TEST(a_heap_of_nothing_but_the_root_is_a_heap) {
    DrawnHeap drawn(1);
    Analysed analysed = analyse(drawn.heap());
    CHECK(analysed.status == Status::ok);
    CHECK(analysed.dominators.retained[kRoot] == 0);
}
