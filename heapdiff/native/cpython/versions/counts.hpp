// Which interpreters heapdiff reads, and their reference counts.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <frameobject.h>

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030F0000
#error "heapdiff reads the heap of CPython 3.11 to 3.14"
#endif
#if defined(Py_GIL_DISABLED) && PY_VERSION_HEX < 0x030E0000
#error "of free-threaded builds of CPython, heapdiff reads the heap of 3.14; 3.13 keeps no evaluation stack's depth"
#endif

namespace heapdiff::cpython {

// Whether threads run at once. Then an object has a header of 32 bytes and none of the collector's before it, other
// threads are stopped while the heap is read, and a count may be kept in parts.
#ifdef Py_GIL_DISABLED
inline constexpr bool kFreeThreaded = true;
#else
inline constexpr bool kFreeThreaded = false;
#endif

// What a free-threaded build's collector notes in the object itself (pycore_gc.h).
enum CollectorBit : uint8_t { kTrackedBit = 1 << 0, kFrozenBit = 1 << 3, kDeferredBit = 1 << 6 };
inline uint8_t collector_bits(const PyObject* object) {
#ifdef Py_GIL_DISABLED
    return object->ob_gc_bits;
#else
    (void)object;
    return 0;
#endif
}

inline bool is_immortal(PyObject* object) {
#ifdef Py_GIL_DISABLED
    return object->ob_ref_local == UINT32_MAX;
#elif PY_VERSION_HEX >= 0x030C0000
    return static_cast<int32_t>(Py_REFCNT(object)) < 0; // PEP 683
#else
    return Py_REFCNT(object) > 500'000'000; // statically allocated objects start at 999,999,999
#endif
}
// The count that the object itself keeps. Where counting is deferred, so that frames need not count their references,
// it is raised by a large constant, lest the object dies before a collection has looked (pycore_object.h).
inline Py_ssize_t own_count(PyObject* object) {
    Py_ssize_t deferred = collector_bits(object) & kDeferredBit ? PY_SSIZE_T_MAX / 8 : 0;
    return Py_REFCNT(object) - deferred;
}
// The number under which each thread counts its references to a class, a code object or a namespace for itself; 0
// where only the object's own count counts.
inline Py_ssize_t per_thread_id(PyObject* object) {
#ifdef Py_GIL_DISABLED
    if (!(collector_bits(object) & kDeferredBit)) return 0;
    if (PyType_Check(object))
        return reinterpret_cast<PyTypeObject*>(object)->tp_flags & Py_TPFLAGS_HEAPTYPE
                   ? reinterpret_cast<PyHeapTypeObject*>(object)->unique_id
                   : 0;
    if (PyCode_Check(object)) return reinterpret_cast<PyCodeObject*>(object)->_co_unique_id;
    constexpr int kIdShift = 32; // DICT_UNIQUE_ID_SHIFT
    if (PyDict_Check(object))
        return static_cast<Py_ssize_t>(reinterpret_cast<PyDictObject*>(object)->_ma_watcher_tag >> kIdShift);
#endif
    (void)object;
    return 0;
}

} // namespace heapdiff::cpython
