// Which interpreters heapdiff reads, and their reference counts.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <frameobject.h>

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030F0000 || defined(Py_GIL_DISABLED)
#error "heapdiff reads the heap of CPython 3.11 to 3.14 with the GIL"
#endif

namespace heapdiff::cpython {

inline bool is_immortal(PyObject* object) {
#if PY_VERSION_HEX >= 0x030C0000
    return static_cast<int32_t>(Py_REFCNT(object)) < 0; // PEP 683
#else
    return Py_REFCNT(object) > 500'000'000; // statically allocated objects start at 999,999,999
#endif
}

} // namespace heapdiff::cpython
