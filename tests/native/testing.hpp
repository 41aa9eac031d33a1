// As much of a test framework as these tests need: a list of named functions and a check.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace heapdiff::testing {

struct Test {
    const char* name;
    void (*body)();
};

inline std::vector<Test>& tests() {
    static std::vector<Test> all;
    return all;
}

struct Registration {
    Registration(const char* name, void (*body)()) { tests().push_back({name, body}); }
};

inline int failures = 0;

inline void check(bool good, const char* text, const char* file, int line) {
    if (good) return;
    ++failures;
    std::printf("%s:%d: not true: %s\n", file, line, text);
}

} // namespace heapdiff::testing

#define TEST(name)                                                                                                     \
    static void name();                                                                                                \
    static const heapdiff::testing::Registration registration_of_##name(#name, name);                                  \
    static void name()
#define CHECK(condition) heapdiff::testing::check((condition), #condition, __FILE__, __LINE__)
