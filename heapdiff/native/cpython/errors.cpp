#include "cpython/errors.hpp"

#include <cstdarg>

namespace heapdiff {

void raise_error(const char* name, const char* format, ...) {
    PyObject* module = PyImport_ImportModule("heapdiff.errors");
    PyObject* type = module != nullptr ? PyObject_GetAttrString(module, name) : nullptr;
    Py_XDECREF(module);
    if (type == nullptr) return;
    va_list arguments;
    va_start(arguments, format);
    PyErr_FormatV(type, format, arguments);
    va_end(arguments);
    Py_DECREF(type);
}

} // namespace heapdiff
