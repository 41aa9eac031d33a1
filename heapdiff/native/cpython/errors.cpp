#include "cpython/errors.hpp"

#include <cstdarg>

namespace heapdiff {

void raise_error(const char* name, const char* format, ...) {
    PyObject* module = PyImport_ImportModule("heapdiff.errors");
    PyObject* type = module != nullptr ? PyObject_GetAttrString(module, name) : nullptr;
    Py_XDECREF(module);
    // At the very end of a process nothing can be imported any more; the sentence is told all the same.
    if (type == nullptr && PyErr_ExceptionMatches(PyExc_MemoryError)) return;
    if (type == nullptr) {
        PyErr_Clear();
        type = Py_NewRef(PyExc_RuntimeError);
    }
    va_list arguments;
    va_start(arguments, format);
    PyErr_FormatV(type, format, arguments);
    va_end(arguments);
    Py_DECREF(type);
}

} // namespace heapdiff
