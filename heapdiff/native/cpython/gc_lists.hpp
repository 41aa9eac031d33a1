// The lists in which the cyclic collector keeps every tracked object.
#pragma once

#include "cpython/versions.hpp"

namespace heapdiff {

struct GcHead {
    uintptr_t next; // the low two bits are the collector's flags
    uintptr_t previous;

    GcHead* next_head() const { return reinterpret_cast<GcHead*>(next & ~uintptr_t{3}); }
    PyObject* object() { return reinterpret_cast<PyObject*>(this + 1); }
};

// Three generations and the permanent one, which gc.freeze fills and no public function shows.
struct GcLists {
    static constexpr size_t kPermanent = 3;
    GcHead* heads[4]; // not in a free-threaded build, which has no such lists
    const int* collecting_flag;

    bool collecting() const { return __atomic_load_n(collecting_flag, __ATOMIC_RELAXED) != 0; }
};

// Finds the lists, and the collector's flag, without a compiled-in offset: a new list object is at the end of the
// youngest generation, so the next head inside the interpreter state is that generation's. False with an exception set
// where what stands there is not what the layout promises.
bool find_gc_lists(GcLists* lists);

} // namespace heapdiff
