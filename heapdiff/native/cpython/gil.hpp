// Work without the GIL, and a way back that survives the interpreter's end.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "graph/heap.hpp"

#include <new>
#include <unistd.h>

namespace heapdiff {

// CPython 3.11 to 3.13 end a daemon thread that comes back while the interpreter shuts down: pthread_exit() unwinds its
// stack. No function that is noexcept can be unwound, and what destructors would give back on the way needs the GIL. So
// the thread sleeps until the process is gone, as CPython 3.14 lets it.
[[noreturn]] inline void sleep_until_the_end() {
    for (;;) pause();
}

inline void take_gil_back(PyThreadState* thread) {
    try {
        PyEval_RestoreThread(thread);
    } catch (...) {
        sleep_until_the_end();
    }
}

// What the work returned; out_of_memory where it threw that.
template <class Work> Status without_gil(Work work) {
    PyThreadState* thread = PyEval_SaveThread();
    Status status = Status::ok;
    try {
        status = work();
    } catch (const std::bad_alloc&) {
        status = Status::out_of_memory;
    }
    take_gil_back(thread);
    return status;
}

} // namespace heapdiff
