// Exceptions of heapdiff.errors, raised from C++.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "cpython/gil.hpp"

#include <new>

namespace heapdiff {

// Raises heapdiff.errors.<name> with the text; the import happens only now.
void raise_error(const char* name, const char* format, ...);
inline void raise_unsupported(const char* text) { raise_error("UnsupportedInterpreterError", "%s", text); }

// The function as Python may call it: no C++ exception goes through the frames of C. Any other than bad_alloc is the
// end of a daemon thread while Python code ran on our behalf.
template <PyCFunction function> PyObject* guarded(PyObject* self, PyObject* arguments) noexcept {
    try {
        return function(self, arguments);
    } catch (const std::bad_alloc&) {
        return PyErr_NoMemory();
    } catch (...) {
        sleep_until_the_end();
    }
}
template <PyCFunctionWithKeywords function>
PyObject* guarded_with_keywords(PyObject* self, PyObject* arguments, PyObject* keywords) noexcept {
    try {
        return function(self, arguments, keywords);
    } catch (const std::bad_alloc&) {
        return PyErr_NoMemory();
    } catch (...) {
        sleep_until_the_end();
    }
}

} // namespace heapdiff
