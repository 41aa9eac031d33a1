// What the passes do when the operating system has no memory left.
#include "drawn_heap.hpp"
#include "graph/dominators.hpp"
#include "graph/groups.hpp"
#include "graph/label_tree.hpp"
#include "testing.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace heapdiff;
using namespace heapdiff::testing;

namespace {

// AddressSanitizer reserves more address space than any limit that would be of use here.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kCanLimit = false;
#else
constexpr bool kCanLimit = true;
#endif

size_t address_space_in_use() {
    size_t pages = 0;
    FILE* file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr || std::fscanf(file, "%zu", &pages) != 1) pages = 0;
    if (file != nullptr) std::fclose(file);
    return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Runs the pass in a child with that much more memory than it has: its status, or -1 where it died.
template <class Pass> int status_with(size_t more_bytes, Pass pass) {
    std::fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = address_space_in_use() + more_bytes;
        setrlimit(RLIMIT_AS, &limit);
        _exit(static_cast<int>(pass()));
    }
    int result = 0;
    waitpid(child, &result, 0);
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

} // namespace

TEST(every_pass_says_so_when_there_is_no_memory) {
    constexpr uint32_t n = 100'000;
    DrawnHeap drawn = random_heap(1, n, 2.0);
    Heap heap = drawn.heap();
    Paths paths;
    CHECK(shortest_paths(heap, {}, paths) == Status::ok);
    std::vector<uint8_t> group(n, 1);
    std::vector<uint32_t> names{0, 0, 0, 0}, text_start{0, 0};
    std::vector<uint8_t> type_flags(4), text_bytes;
    Types types{names, names, names, type_flags};
    Texts texts{text_start, text_bytes};
    auto run_all = [&](size_t more_bytes) {
        int worst = 0;
        auto take = [&](int status) {
            CHECK(status != -1);
            worst = std::max(worst, status);
        };
        take(status_with(more_bytes, [&] {
            Paths again;
            return shortest_paths(heap, {}, again);
        }));
        take(status_with(more_bytes, [&] {
            Dominators result;
            return dominators(heap, view_of(paths), result);
        }));
        take(status_with(more_bytes, [&] {
            GroupTotals totals;
            return retained_by_groups(heap, group, totals);
        }));
        take(status_with(more_bytes, [&] {
            LabelTree tree;
            return label_tree(heap, types, texts, view_of(paths), tree);
        }));
        return worst;
    };
    if (!kCanLimit) return;
    for (size_t more = 0; more < 4'000'000; more += 200'000) run_all(more);
    CHECK(run_all(0) == static_cast<int>(Status::out_of_memory));
    CHECK(run_all(100'000'000) == static_cast<int>(Status::ok));
}
