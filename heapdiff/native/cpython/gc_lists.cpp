#include "cpython/gc_lists.hpp"

#include "cpython/errors.hpp"
#include "cpython/interpreter_layout.h"

namespace heapdiff {
namespace {

struct Generation {
    GcHead head;
    int threshold;
    int count;
};

} // namespace

bool find_gc_lists(GcLists* lists) {
    if constexpr (cpython::kFreeThreaded) {
        lists->collecting_flag = heapdiff_collecting_flag(PyInterpreterState_Get());
        if (lists->collecting_flag == nullptr)
            raise_unsupported("the table of offsets for debuggers is not the one that CPython " PY_VERSION " has");
        return lists->collecting_flag != nullptr;
    }
    PyObject* probe = PyList_New(0);
    if (probe == nullptr) return false;
    auto low = reinterpret_cast<uintptr_t>(PyInterpreterState_Get());
    // A release of the same minor version may have a larger state than the one heapdiff was compiled against.
    uintptr_t high = low + heapdiff_interpreter_bytes + (size_t{64} << 10);
    auto* own = reinterpret_cast<GcHead*>(probe) - 1;
    GcHead* found = own;
    do found = found->next_head();
    while (found != own && (reinterpret_cast<uintptr_t>(found) < low || reinterpret_cast<uintptr_t>(found) >= high));
    Py_DECREF(probe);
    auto* youngest = reinterpret_cast<Generation*>(found);
    if (found == own || !cpython::is_youngest_generation(found, heapdiff_collecting_flag(PyInterpreterState_Get()))) {
        raise_unsupported("the lists of the garbage collector are not where CPython " PY_VERSION " has them");
        return false;
    }
    for (size_t i = 0; i < 3; ++i) lists->heads[i] = &youngest[i].head;
    lists->heads[GcLists::kPermanent] =
        reinterpret_cast<GcHead*>(reinterpret_cast<char*>(youngest) + cpython::kPermanentOffset);
    lists->collecting_flag = reinterpret_cast<const int*>(reinterpret_cast<char*>(lists->heads[GcLists::kPermanent]) +
                                                          cpython::kCollectingOffset);
    return true;
}

} // namespace heapdiff
