// What the interpreter's allocator says, as Python functions.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace heapdiff {

PyMethodDef* process_functions();

} // namespace heapdiff
