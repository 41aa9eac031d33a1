// Threads, the interpreter and its collector.
#pragma once

#include "cpython/versions/counts.hpp"

namespace heapdiff::cpython {

template <class Visit> void visit_thread_state(PyThreadState* thread, Visit visit) {
    visit(thread->dict, "dict");
    visit(thread->async_exc, "pending exception");
    visit(thread->context, "context");
    visit(thread->c_profileobj, "profile function");
    visit(thread->c_traceobj, "trace function");
    visit(thread->async_gen_firstiter, "async generator hook");
    visit(thread->async_gen_finalizer, "async generator hook");
#if PY_VERSION_HEX >= 0x030C0000
    visit(thread->current_exception, "exception being raised");
#else
    visit(thread->curexc_type, "exception being raised");
    visit(thread->curexc_value, "exception being raised");
    visit(thread->curexc_traceback, "exception being raised");
#endif
#if PY_VERSION_HEX >= 0x030D0000
    visit(thread->threading_local_key, "threading.local key");
    visit(thread->threading_local_sentinel, "threading.local sentinel");
#endif
    visit(thread->exc_state.exc_value, "exception being handled");
}

// ------------------------------------------------------------------ the interpreter

inline bool is_finalizing() {
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing();
#else
    return _Py_IsFinalizing();
#endif
}

// ------------------------------------------------------------------ the collector

// Says that importing the module must not switch the GIL on in a free-threaded build, as it would by default.
inline void keep_gil_off(PyObject* module) {
#ifdef Py_GIL_DISABLED
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#else
    (void)module;
#endif
}

// Calls visit for each object that the collector tracks, until it returns 0, while every other thread is stopped; for
// free-threaded builds. Nothing may be allocated by Python's allocators in between: their heaps are being read.
inline void visit_tracked_objects(int (*visit)(PyObject*, void*), void* argument) {
#ifdef Py_GIL_DISABLED
    PyUnstable_GC_VisitObjects(visit, argument);
#else
    (void)visit;
    (void)argument;
#endif
}

// Behind the three generations stands a pointer to the first of them, then the permanent generation; since 3.14 the
// pointer stands elsewhere.
#if PY_VERSION_HEX >= 0x030E0000
inline constexpr size_t kPermanentOffset = 3 * 24;
#else
inline constexpr size_t kPermanentOffset = 3 * 24 + sizeof(void*);
#endif
// Distance from the permanent generation's head to the int that is 1 while a collection runs.
inline constexpr size_t kCollectingOffset = 24 + 72;

// Whether the three generations start there, by what stands around them.
inline bool is_youngest_generation(const void* head, const int* collecting) {
    auto* at = static_cast<const char*>(head);
#if PY_VERSION_HEX >= 0x030E0000
    return at + kPermanentOffset + kCollectingOffset == reinterpret_cast<const char*>(collecting);
#else
    (void)collecting;
    return *reinterpret_cast<const void* const*>(at + kPermanentOffset - sizeof(void*)) == head;
#endif
}

// Since 3.14 the collector tracks the table of interned strings, and no reference count knows of its references.
inline constexpr bool kTracksInternedStrings = PY_VERSION_HEX >= 0x030E0000;

// On 3.12 before this release traversing the module _asyncio damages its free list (gh-122695). A module that is made
// in phases may have no name in its definition.
inline bool traversal_is_unsafe(const char* module_name) {
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030D0000
    return Py_Version < 0x030C0600 && module_name != nullptr && __builtin_strcmp(module_name, "_asyncio") == 0;
#else
    (void)module_name;
    return false;
#endif
}

} // namespace heapdiff::cpython
