// Runs every test and says which failed.
#include "testing.hpp"

int main() {
    using namespace heapdiff::testing;
    int failed = 0;
    for (const Test& test : tests()) {
        int before = failures;
        test.body();
        if (failures != before) ++failed;
        std::printf("%s %s\n", failures == before ? "ok  " : "FAIL", test.name);
        std::fflush(stdout);
    }
    std::printf("%zu tests, %d failed\n", tests().size(), failed);
    return failed == 0 ? 0 : 1;
}
