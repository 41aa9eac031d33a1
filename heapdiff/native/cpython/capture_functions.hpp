// Capture as Python functions.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace heapdiff {

PyMethodDef* capture_functions();

} // namespace heapdiff
