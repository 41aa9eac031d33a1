// Chains: which of several references leads to an object, and what is live at all.
#include "drawn_heap.hpp"
#include "graph/paths.hpp"
#include "testing.hpp"

using namespace heapdiff;
using namespace heapdiff::testing;

TEST(live_is_what_the_root_reaches) {
    for (uint32_t seed = 0; seed < 60; ++seed) {
        DrawnHeap drawn = random_heap(seed, 200, 1.1);
        Heap heap = drawn.heap();
        std::vector<uint8_t> live = reachable(heap, std::vector<uint8_t>(heap.object_count()));
        Paths paths;
        CHECK(shortest_paths(heap, {}, paths) == Status::ok);
        for (size_t v = 0; v < live.size(); ++v) CHECK((paths.state[v] == kLive) == (live[v] == 1));
    }
}

TEST(a_reference_nobody_would_name_first_is_taken_only_where_no_other_leads) {
    DrawnHeap drawn(5);
    drawn.refer(kRoot, 1).refer(1, 4, LabelKind::type).refer(1, 2).refer(2, 3).refer(3, 4);
    Paths paths;
    CHECK(shortest_paths(drawn.heap(), {}, paths) == Status::ok);
    CHECK(paths.parent[4] == 3);
}

TEST(what_only_such_a_reference_leads_to_is_live) {
    DrawnHeap drawn(3);
    drawn.refer(kRoot, 1).refer(1, 2, LabelKind::stack);
    Paths paths;
    CHECK(shortest_paths(drawn.heap(), {}, paths) == Status::ok);
    CHECK(paths.state[2] == kLive && paths.parent[2] == 1);
}

TEST(of_two_equally_short_chains_the_first_reference_is_taken) {
    DrawnHeap drawn(4);
    drawn.refer(kRoot, 2).refer(kRoot, 1).refer(1, 3).refer(2, 3);
    Paths paths;
    CHECK(shortest_paths(drawn.heap(), {}, paths) == Status::ok);
    CHECK(paths.parent[3] == 2);
}
